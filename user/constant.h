/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HPKM_CONSTANT_H
#define HPKM_CONSTANT_H

#include "patch.h"

/*
 * After stage 2: constants with global names that changed are taken along when
 * only what is replaced can refer to them; the others are refused.  An object
 * that was not compared, and names one, becomes wanted: all is to be compared
 * again, with it.  Returns 0, or -1 after a message about a damaged file.
 */
int hpkm_constant_check(struct hpkm_patch *patch);

#endif /* HPKM_CONSTANT_H */
