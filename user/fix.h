/* SPDX-License-Identifier: GPL-2.0 */
/* The change to the source (stage 1): applying it by patch(1). */
#ifndef HPKM_FIX_H
#define HPKM_FIX_H

#include <stdbool.h>

#include "arena.h"

/*
 * Applies one file of differences in the tree; what patch says goes to @log
 * and to @rejects what can't be applied.  Returns 0, or -1 after a message.
 */
int hpkm_fix_apply(struct hpkm_arena *arena, const char *tree,
		   const char *path, const char *log, const char *rejects);

/*
 * Does it change nothing but what is in C and C++ files that exist?  Then no
 * file can be found in another place than before, and no command differs.
 */
bool hpkm_fix_is_plain(const char *tree, const char *path);

#endif /* HPKM_FIX_H */
