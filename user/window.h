/* SPDX-License-Identifier: GPL-2.0 */
/* Between stages 2 and 3: can a trampoline stand at a function's start? */
#ifndef HPKM_WINDOW_H
#define HPKM_WINDOW_H

#include "patch.h"

/*
 * Fills patch->funcs with the changed functions of all pairs; what cannot be
 * patched goes to patch->verdicts.
 */
void hpkm_window_check(struct hpkm_patch *patch);

#endif /* HPKM_WINDOW_H */
