/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between stages 2 and 3: proof that the source is the one running.  The old
 * object's code is compared with the anchor's, which also tells where in the
 * anchor the things are that the code refers to.
 */
#ifndef HPKM_VERIFY_H
#define HPKM_VERIFY_H

#include "patch.h"

/*
 * Finds and verifies every function to be replaced; refusals go to
 * patch->verdicts.  Returns 0, or -1 after a message about a damaged file.
 */
int hpkm_verify_funcs(struct hpkm_patch *patch);

/*
 * Where an item of an old object is in the anchor: sets item->live.  Returns
 * NULL, or why that is not known.
 */
const char *hpkm_verify_locate(struct hpkm_patch *patch,
			       struct hpkm_item *item);

#endif /* HPKM_VERIFY_H */
