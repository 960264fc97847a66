/* SPDX-License-Identifier: GPL-2.0 */
/* Between stages 2 and 3: where a reference leads. */
#ifndef HPKM_PLACE_H
#define HPKM_PLACE_H

#include "piece.h"

/*
 * Where relocation @reloc of the section of @w leads: HPKM_PLACE_NOWHERE when
 * that is refused.  Returns 0, or -1 after a message about a damaged file.
 */
int hpkm_place_find(struct hpkm_closure *c, const struct hpkm_taken *w,
		    size_t reloc, struct hpkm_place *to);
/* What a library provides at apply time; @version may be "". */
void hpkm_place_extern(struct hpkm_closure *c, const char *name,
		       const char *version, bool weak, struct hpkm_place *to);

#endif /* HPKM_PLACE_H */
