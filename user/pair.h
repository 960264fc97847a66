/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 2, diff: which old item is which new one. */
#ifndef HPKM_PAIR_H
#define HPKM_PAIR_H

#include "patch.h"

/*
 * Pairs the items of both objects of each pair, then what moved from one file
 * to another.  Sets item->pair, or item->perhaps of a new one.  Returns 0,
 * or -1 after a message about a damaged file.
 */
int hpkm_pair_items(struct hpkm_pair *pairs, size_t count);

#endif /* HPKM_PAIR_H */
