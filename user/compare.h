/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 2, diff: are an old and a new item the same? */
#ifndef HPKM_COMPARE_H
#define HPKM_COMPARE_H

#include "object.h"

/*
 * Compares bytes with relocated fields masked, and relocations by what they
 * mean: an item's pair, a string's text.  Sets @damaged after a message about
 * a damaged file.
 */
bool hpkm_same_item(struct hpkm_item *old, struct hpkm_item *new,
		    bool *damaged);

/*
 * Of two functions that are not the same: is that so only in bytes that no
 * relocation fills, and have both the same length?
 */
bool hpkm_same_refs(struct hpkm_item *old, struct hpkm_item *new,
		    bool *damaged);

#endif /* HPKM_COMPARE_H */
