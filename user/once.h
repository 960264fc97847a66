/* SPDX-License-Identifier: GPL-2.0 */
/* After stage 2: functions that a running process will not enter again. */
#ifndef HPKM_ONCE_H
#define HPKM_ONCE_H

#include "patch.h"

/*
 * A changed main() is left as it is, with a warning; so is nothing else, but
 * there are warnings of constructors and of functions that never return.  It is
 * refused when no function would be left that runs again.
 */
void hpkm_once_check(struct hpkm_patch *patch);

#endif /* HPKM_ONCE_H */
