/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 2, diff: which functions of an object changed. */
#ifndef HPKM_DIFF_H
#define HPKM_DIFF_H

#include "patch.h"

/*
 * Pairs the items of both objects of each pair and marks the new items that
 * changed.  What can't be patched at all (a live variable's initial value)
 * goes to verdicts.  Returns 0, or -1 after a message about a damaged file.
 */
int hpkm_diff(struct hpkm_pair *pairs, size_t count, bool all_functions,
	      struct hpkm_verdicts *verdicts);

#endif /* HPKM_DIFF_H */
