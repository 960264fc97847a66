/* SPDX-License-Identifier: GPL-2.0 */
/* Where the target was built (stage 1): the path that it has for its source. */
#ifndef HPKM_ORIGIN_H
#define HPKM_ORIGIN_H

#include "anchor.h"

/*
 * Returns the directory that was for the target's build what @source is now,
 * as its debug information has it ("." when it was mapped to that); NULL when
 * there is none or it does not tell.
 */
const char *hpkm_origin_find(struct hpkm_arena *arena,
			     const struct hpkm_anchor *anchor,
			     const char *source);

#endif /* HPKM_ORIGIN_H */
