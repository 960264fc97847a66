/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 2 and after 3: variables of the running program that seem to be new. */
#ifndef HPKM_STATE_H
#define HPKM_STATE_H

#include "patch.h"

/*
 * Of all variables that have no pair: sets item->perhaps of each new one that
 * may be an old one under another name.
 */
void hpkm_state_mark(struct hpkm_pair *pairs, size_t count);

/* Warns of new variables in files that others are gone from. */
void hpkm_state_check(struct hpkm_patch *patch);

#endif /* HPKM_STATE_H */
