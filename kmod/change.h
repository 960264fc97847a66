/* SPDX-License-Identifier: GPL-2.0 */
/* What the step from one state to the next writes, and where no thread may be. */
#ifndef _HPKM_CHANGE_H
#define _HPKM_CHANGE_H

#include "transition.h"

int hpkm_change_find_slots(struct hpkm_transition *t);
int hpkm_change_arm(struct hpkm_transition *t, bool bodies, u32 distance);

#endif /* _HPKM_CHANGE_H */
