/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 1: which of the files that a build has linked is the target. */
#ifndef HPKM_LINKED_H
#define HPKM_LINKED_H

#include "anchor.h"
#include "steps.h"

/* The step that linked it, or NULL after a message. */
const struct hpkm_done *hpkm_linked_find(const struct hpkm_steps *steps,
					 const struct hpkm_anchor *anchor);

#endif /* HPKM_LINKED_H */
