/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HPKM_CANDIDATES_H
#define HPKM_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>

#include "anchor.h"
#include "object.h"

/* Symbols of an anchor, by name and address. */
struct hpkm_candidates {
	const struct hpkm_anchor_symbol **list;
	size_t count;
};

/*
 * The symbols of the item's name that it may be; those of its own file only,
 * when there are any.  What was found is kept with the item.
 */
const struct hpkm_candidates *hpkm_candidates(struct hpkm_item *item);

/*
 * The compiler may have given other numbers when the target was built: any
 * "foo.constprop.N" may be what "foo.constprop.0" is.  None for an item whose
 * name has no number.
 */
const struct hpkm_candidates *hpkm_candidates_numbered(struct hpkm_item *item);

/* As far as both say what file they are from. */
bool hpkm_candidate_same_file(const struct hpkm_item *item,
			      const struct hpkm_anchor_symbol *symbol);

#endif
