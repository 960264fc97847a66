/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 2, diff: names that mean something else than before. */
#ifndef HPKM_NAMES_H
#define HPKM_NAMES_H

#include "patch.h"

/* Refuses what the target has under that name already, joins, or parts. */
void hpkm_names_check(struct hpkm_object *old, struct hpkm_object *new,
		      struct hpkm_verdicts *verdicts, bool *damaged);

/*
 * A weak function whose place another object of the same anchor has taken, with
 * one that is not weak: the name of that object, or NULL.
 */
const char *hpkm_names_override(struct hpkm_patch *patch,
				const struct hpkm_item *old);

#endif /* HPKM_NAMES_H */
