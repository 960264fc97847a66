// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: a reference whose end is known becomes a relocation
 * of its piece, or a number in it.
 */
#include "emit.h"
#include "hpkm.h"

void hpkm_emit(struct hpkm_emit *e, uint32_t type)
{
	unsigned int tail = 0;
	struct hpkm_link_reloc *r;

	if (hpkm_rel_pcrel(e->rel))
		tail = hpkm_object_tail(e->w->object, e->w->section, e->index);
	r = hpkm_link_add_reloc(e->c->link, e->w->piece);
	r->offset = e->r->offset - e->w->start;
	r->type = type;
	r->name = e->to.name;
	/* offset is where it leads; the addend of the psABI is less tail. */
	r->addend = e->to.offset - (int64_t)tail;
	r->is_extern = e->to.kind == HPKM_PLACE_EXTERN;
	if (e->to.kind == HPKM_PLACE_PIECE || e->to.kind == HPKM_PLACE_OTHER)
		r->to = e->to.piece;
	else
		r->value = e->to.value;
}

void hpkm_emit_value(struct hpkm_emit *e, uint64_t value)
{
	uint8_t *place = e->w->piece->data + (e->r->offset - e->w->start);
	unsigned int size = hpkm_rel_size(e->rel);

	if (size == 8)
		hpkm_put64(place, value);
	else
		hpkm_put32(place, value);
	if (size == 4 && (int64_t)value != (int32_t)value &&
	    value != (uint32_t)value)
		refuse(e->c, e->to.name, "its value 0x%llx does not fit",
		       (unsigned long long)value);
}
