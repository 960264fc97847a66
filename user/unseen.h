/* SPDX-License-Identifier: GPL-2.0 */
/* After the closure: what changes and nothing in the process would see. */
#ifndef HPKM_UNSEEN_H
#define HPKM_UNSEEN_H

#include "patch.h"

void hpkm_unseen_check(struct hpkm_patch *patch);

#endif /* HPKM_UNSEEN_H */
