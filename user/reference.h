/* SPDX-License-Identifier: GPL-2.0 */
/* Between stages 2 and 3: what relocations of new code and data become. */
#ifndef HPKM_REFERENCE_H
#define HPKM_REFERENCE_H

#include "place.h"

/*
 * Follows relocation @i of the section of @w.  Returns 0, refused or not, or
 * -1 after a message about a damaged file.
 */
int hpkm_reference(struct hpkm_closure *c, const struct hpkm_taken *w,
		   size_t i);

#endif /* HPKM_REFERENCE_H */
