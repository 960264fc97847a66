/* SPDX-License-Identifier: GPL-2.0 */
/* Between stages 2 and 3: new code that exceptions may want to pass. */
#ifndef HPKM_EXCEPTION_H
#define HPKM_EXCEPTION_H

#include "patch.h"

/*
 * Before functions are given windows: refuses those that have to do something
 * when an exception passes, or throw one; warns of others that one may pass.
 */
void hpkm_exception_check(struct hpkm_patch *patch);

/* The same of functions that are new; after hpkm_closure(). */
void hpkm_exception_check_new(struct hpkm_patch *patch);

#endif /* HPKM_EXCEPTION_H */
