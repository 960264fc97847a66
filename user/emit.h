/* SPDX-License-Identifier: GPL-2.0 */
/* Between stages 2 and 3: a relocation of new code or data is followed. */
#ifndef HPKM_EMIT_H
#define HPKM_EMIT_H

#include "piece.h"

struct hpkm_emit {
	struct hpkm_closure *c;
	const struct hpkm_taken *w;
	const struct hpkm_elf_reloc *r;
	size_t index;			/* of r */
	enum hpkm_rel rel;
	struct hpkm_place to;
};

/* A relocation of that type, of the psABI, in the piece. */
void hpkm_emit(struct hpkm_emit *e, uint32_t type);
/* A number that is known now is written now. */
void hpkm_emit_value(struct hpkm_emit *e, uint64_t value);

#endif /* HPKM_EMIT_H */
