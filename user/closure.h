/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between stages 2 and 3: what the changed functions take along, and what
 * every reference of theirs leads to.
 */
#ifndef HPKM_CLOSURE_H
#define HPKM_CLOSURE_H

#include "link.h"
#include "patch.h"

/*
 * Fills link with pieces.  Refusals go to patch->verdicts.  Returns 0, or -1
 * after a message about a damaged file.
 */
int hpkm_closure(struct hpkm_patch *patch, struct hpkm_link *link);

#endif /* HPKM_CLOSURE_H */
