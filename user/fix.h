/* SPDX-License-Identifier: GPL-2.0 */
/* The change to the source (stage 1): applying it by patch(1). */
#ifndef HPKM_FIX_H
#define HPKM_FIX_H

#include <stdbool.h>

#include "arena.h"

/* Whether it can be read: 0, or -1 after a message. */
int hpkm_fix_check(const char *path);

/*
 * Returns how many leading directories are to be removed from the names in a
 * file of differences, or -1 after a message.
 */
int hpkm_fix_levels(const char *tree, const char *path);

/*
 * Applies the file in the tree; what patch says goes to @log and to @rejects
 * what can't be applied.  Returns 0, or -1 after a message.
 */
int hpkm_fix_apply(struct hpkm_arena *arena, const char *tree,
		   const char *path, int levels, const char *log,
		   const char *rejects);

/*
 * Does it change nothing but what is in C and C++ files that exist?  Then no
 * file can be found in another place than before, and no command differs.
 */
bool hpkm_fix_is_plain(const char *tree, const char *path, int levels);

#endif /* HPKM_FIX_H */
