/* SPDX-License-Identifier: GPL-2.0 */
/* After the proof: functions whose parameters or result changed. */
#ifndef HPKM_SIGNATURE_H
#define HPKM_SIGNATURE_H

#include "patch.h"

/*
 * A function that is replaced and takes or returns something else now must have
 * no caller that stays as it is.  Refusals go to patch->verdicts.
 */
void hpkm_signature_check(struct hpkm_patch *patch);

#endif /* HPKM_SIGNATURE_H */
