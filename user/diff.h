/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 2, diff: which functions of an object changed. */
#ifndef HPKM_DIFF_H
#define HPKM_DIFF_H

#include "object.h"
#include "verdict.h"

/*
 * Pairs the items of both objects and marks the new items that changed.
 * What can't be patched at all (a live variable's initial value) goes to
 * verdicts.  Returns 0, or -1 after a message about a damaged file.
 */
int hpkm_diff(struct hpkm_object *old, struct hpkm_object *new,
	      bool all_functions, struct hpkm_verdicts *verdicts);

#endif /* HPKM_DIFF_H */
