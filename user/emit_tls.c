// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: references to thread-local variables, by the models
 * of the psABI ("ELF Handling For Thread-Local Storage").
 */
#include "emit_tls.h"
#include "hpkm.h"
#include "tls.h"

static uint64_t tpoff(const struct hpkm_closure *c, uint64_t offset)
{
	const struct hpkm_anchor *a = c->anchor;

	return a->arch->tpoff(offset, a->tls_size, a->tls_align);
}

/* A cell or pair that is made of a slot of the anchor. */
static struct hpkm_link_piece *tls_piece(struct hpkm_emit *e,
					 const struct hpkm_tls_cell *cell)
{
	bool pair = e->rel == HPKM_REL_TLSGD || e->rel == HPKM_REL_TLSLD;

	return hpkm_piece_tls(e->c, pair ? HPKM_CELL_TLS_PAIR :
			      HPKM_CELL_TPOFF, e->to.name, cell,
			      e->rel == HPKM_REL_TLSLD ? 0 : e->to.value);
}

/*
 * An executable's own variables are at fixed distances from the thread
 * pointer: what the compiler did not know when it made the code for a library,
 * ld makes good, and so is done here.
 */
static void relax_tls(struct hpkm_emit *e)
{
	const struct hpkm_arch *arch = e->c->anchor->arch;
	uint64_t place = e->r->offset - e->w->start, field = 0;
	struct hpkm_link_piece *piece = e->w->piece;
	const struct hpkm_anchor_slot *slot = NULL;
	struct hpkm_link_reloc *r;

	if (e->to.kind != HPKM_PLACE_TLS)
		slot = hpkm_anchor_slot(e->c->anchor, e->to.name,
					arch->type_tpoff64);
	if ((e->to.kind != HPKM_PLACE_TLS && !slot) ||
	    !arch->relax_tls(piece->data, piece->size, place, e->rel, slot,
			     &field)) {
		refuse(e->c, e->to.name,
		       "%s uses this thread-local variable in a way that %s has nothing for",
		       e->w->name, e->c->anchor->name);
		return;
	}
	e->c->skip_next = true;
	if (slot) {
		r = hpkm_link_add_reloc(e->c->link, piece);
		r->offset = field;
		r->type = arch->type_pc32;
		r->name = e->to.name;
		r->value = slot->addr;
		r->addend = -4;
	} else if (e->rel == HPKM_REL_TLSGD) {
		hpkm_put32(piece->data + field, tpoff(e->c, e->to.value +
						      e->to.offset));
	}
}

void hpkm_emit_tls(struct hpkm_emit *e)
{
	struct hpkm_closure *c = e->c;
	struct hpkm_tls_cell cell;
	struct hpkm_place *to = &e->to;
	bool library = c->anchor->library;

	switch (e->rel) {
	case HPKM_REL_TPOFF32:
		if (to->kind != HPKM_PLACE_TLS || library)
			refuse(c, to->name,
			       "%s needs its place in the thread's block, which is only fixed for the executable's own variables",
			       e->w->name);
		else
			hpkm_emit_value(e, tpoff(c, to->value + to->offset));
		return;
	case HPKM_REL_DTPOFF32:
		if (to->kind != HPKM_PLACE_TLS)
			refuse(c, to->name,
			       "%s takes it for a variable of its own",
			       e->w->name);
		else
			hpkm_emit_value(e, library ? to->value + to->offset :
					tpoff(c, to->value + to->offset));
		return;
	case HPKM_REL_TLSGD:
	case HPKM_REL_TLSLD:
		if (library)
			break;
		relax_tls(e);
		return;
	case HPKM_REL_TLS:
		refuse(c, e->w->name,
		       "it reaches the thread-local variable %s in a way that is not known",
		       to->name);
		return;
	default:
		break;
	}
	if (hpkm_tls_find(c->anchor, e->rel, to->name,
			  to->kind == HPKM_PLACE_TLS && !to->preemptible,
			  to->value, &cell)) {
		if (cell.slot) {
			to->kind = HPKM_PLACE_LIVE;
			to->value = cell.slot;
		} else {
			to->piece = tls_piece(e, &cell);
			to->kind = HPKM_PLACE_PIECE;
		}
	} else if (to->kind == HPKM_PLACE_TLS && !library &&
		   e->rel == HPKM_REL_GOT_TPOFF) {
		to->piece = hpkm_piece_cell(c, HPKM_CELL_TPOFF, to,
					    tpoff(c, to->value));
		to->kind = HPKM_PLACE_PIECE;
	} else if (to->kind == HPKM_PLACE_EXTERN) {
		refuse(c, to->name,
		       "%s uses this thread-local variable of a library, which %s did not import",
		       e->w->name, c->anchor->name);
		return;
	} else {
		refuse(c, to->name,
		       "%s uses this thread-local variable, and %s has no cell that holds its place%s",
		       e->w->name, c->anchor->name,
		       e->rel == HPKM_REL_TLSDESC ?
		       "; let a function that uses it already hand it out" :
		       "");
		return;
	}
	to->offset = 0;
	hpkm_emit(e, c->anchor->arch->type_pc32);
}
