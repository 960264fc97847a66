// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: what the relocations of new code and data become.
 *
 * What is near is reached as the compiler meant it.  What may be anywhere (an
 * import, an IFUNC, what a library has) is reached through the anchor's PLT
 * and GOT, or through cells and stubs that the image brings along.
 */
#include "emit_tls.h"
#include "hpkm.h"
#include "reference.h"

/* The anchor has no cell for an import: as if it did not import it. */
static void no_cell(struct hpkm_closure *c, struct hpkm_place *to)
{
	const struct hpkm_anchor_import *i =
		hpkm_anchor_import(c->anchor, to->name);

	hpkm_place_extern(c, to->name, i->version, false, to);
}

/* A branch to what may be anywhere: through a cell of ours. */
static void far_call(struct hpkm_closure *c, struct hpkm_place *to)
{
	struct hpkm_place cell = { .kind = HPKM_PLACE_PIECE, .name = to->name };
	int64_t offset = to->offset;

	if (to->kind == HPKM_PLACE_EXTERN)
		to->offset = 0;
	cell.piece = hpkm_piece_cell(c, HPKM_CELL_ADDRESS, to, to->value);
	if (to->kind == HPKM_PLACE_OTHER)
		offset = 0;
	to->piece = hpkm_piece_cell(c, HPKM_CELL_STUB, &cell, 0);
	to->kind = HPKM_PLACE_PIECE;
	to->offset = offset;
}

/* The address to call for an import or an IFUNC. */
static bool call_place(struct hpkm_closure *c, struct hpkm_place *to)
{
	const struct hpkm_arch *arch = c->anchor->arch;
	const struct hpkm_anchor_slot *slot;
	struct hpkm_link_piece *stub;
	struct hpkm_place cell;

	if (to->ifunc) {
		slot = hpkm_anchor_ifunc(c->anchor, to->value);
		if (!slot)
			slot = hpkm_anchor_slot(c->anchor, to->name,
						arch->type_jump_slot);
	} else {
		uint64_t plt = hpkm_anchor_plt(c->anchor, to->name, 0);

		if (plt) {
			to->kind = HPKM_PLACE_LIVE;
			to->value = plt;
			return true;
		}
		slot = NULL;
	}
	if (!slot)
		slot = hpkm_anchor_slot(c->anchor, to->name,
					arch->type_glob_dat);
	if (!slot)
		return false;
	if (slot->plt) {
		to->kind = HPKM_PLACE_LIVE;
		to->value = slot->plt;
		return true;
	}
	cell = (struct hpkm_place){ .kind = HPKM_PLACE_LIVE, .name = to->name };
	stub = hpkm_piece_cell(c, HPKM_CELL_STUB, &cell, slot->addr);
	to->kind = HPKM_PLACE_PIECE;
	to->piece = stub;
	return true;
}

/* What the anchor exports may have that name in several versions. */
static bool is_slot_of(const struct hpkm_anchor_slot *slot,
		       const struct hpkm_place *to)
{
	return to->kind != HPKM_PLACE_LIVE || to->ifunc ||
		slot->value == to->value;
}

/* The anchor's own GOT slot for a symbol that it imports or exports. */
static const struct hpkm_anchor_slot *got_slot(struct hpkm_closure *c,
					       const struct hpkm_place *to,
					       bool branch)
{
	const struct hpkm_arch *arch = c->anchor->arch;
	const struct hpkm_anchor_slot *slot;

	if (to->ifunc) {
		slot = hpkm_anchor_ifunc(c->anchor, to->value);
		if (slot)
			return slot;
	}
	slot = hpkm_anchor_slot(c->anchor, to->name, arch->type_glob_dat);
	if (slot && is_slot_of(slot, to))
		return slot;
	/*
	 * A lazily bound slot may hold the address of a PLT entry: fit for
	 * calls, not for pointers.
	 */
	slot = hpkm_anchor_slot(c->anchor, to->name, arch->type_jump_slot);
	return slot && is_slot_of(slot, to) &&
		(branch || c->anchor->bind_now) ? slot : NULL;
}

/* @insn: the branch through the GOT that the relocation belongs to. */
static bool is_got_branch(const struct hpkm_emit *e)
{
	const struct hpkm_object *o = e->w->object;
	const struct hpkm_elf_section *s = &o->elf.sections[e->w->section];
	struct hpkm_insn fake = { .size = 6 };

	return s->flags & SHF_EXECINSTR && e->r->offset >= 2 &&
		o->arch->got_branch(s->data + e->r->offset - 2, &fake);
}

static void emit_got(struct hpkm_emit *e)
{
	struct hpkm_closure *c = e->c;
	const struct hpkm_anchor_slot *slot = NULL;
	bool branch = is_got_branch(e);
	struct hpkm_place to = e->to;

	if (to.kind == HPKM_PLACE_IMPORT || to.ifunc || to.preemptible)
		slot = got_slot(c, &to, branch);
	/* An executable may have made a copy of it for itself, and for all. */
	if (!slot && to.kind == HPKM_PLACE_LIVE && to.preemptible && to.data)
		hpkm_place_extern(c, to.name, to.version, false, &to);
	e->to.offset = 0;
	if (slot) {
		e->to.kind = HPKM_PLACE_LIVE;
		e->to.value = slot->addr;
		hpkm_emit(e, c->anchor->arch->type_pc32);
		return;
	}
	if (to.kind == HPKM_PLACE_IMPORT || to.ifunc) {
		const struct hpkm_anchor_symbol *s;

		s = hpkm_anchor_global(c->anchor, to.name);
		if (s && to.kind == HPKM_PLACE_IMPORT) {
			/* A non-PIE's PLT entry is its official address. */
			to.kind = HPKM_PLACE_LIVE;
			to.value = s->addr;
		} else if (to.kind == HPKM_PLACE_IMPORT) {
			if (!branch || !call_place(c, &to))
				no_cell(c, &to);
		} else if (!call_place(c, &to)) {
			refuse(c, to.name,
			       "%s takes its address, and %s has no cell that holds it",
			       e->w->name, c->anchor->name);
			return;
		}
	}
	if (to.kind == HPKM_PLACE_VALUE)
		e->to.piece = hpkm_piece_cell(c, HPKM_CELL_TPOFF, &to,
					      to.value);
	else
		e->to.piece = hpkm_piece_cell(c, HPKM_CELL_ADDRESS, &to,
					      to.value);
	e->to.kind = HPKM_PLACE_PIECE;
	hpkm_emit(e, c->anchor->arch->type_pc32);
}

/* "if (f) f()": f is weak and nobody's, and the call is never reached. */
static void emit_call_of_value(struct hpkm_emit *e)
{
	struct hpkm_closure *c = e->c;
	struct hpkm_place cell = {
		.kind = HPKM_PLACE_PIECE, .name = e->to.name,
	};

	cell.piece = hpkm_piece_cell(c, HPKM_CELL_TPOFF, &e->to, e->to.value);
	e->to.piece = hpkm_piece_cell(c, HPKM_CELL_STUB, &cell, 0);
	e->to.kind = HPKM_PLACE_PIECE;
	e->to.offset = 0;
	hpkm_emit(e, c->anchor->arch->type_pc32);
}

/* A relocation against a piece, 4 bytes before where it counts from. */
static void link_to(struct hpkm_closure *c, struct hpkm_link_piece *from,
		    uint64_t place, struct hpkm_link_piece *to,
		    uint64_t offset)
{
	struct hpkm_link_reloc *r = hpkm_link_add_reloc(c->link, from);

	r->offset = place;
	r->type = c->anchor->arch->type_pc32;
	r->name = to->name;
	r->to = to;
	r->addend = (int64_t)offset - 4;
}

/*
 * Code that was compiled for a program takes variables to be near, for the
 * program's linker would have made a copy of those of a library.  Now they are
 * where they are: a load goes by way of a cell.
 */
static bool emit_far(struct hpkm_emit *e)
{
	const struct hpkm_code *code;
	struct hpkm_closure *c = e->c;
	struct hpkm_link_piece *piece = e->w->piece, *cell, *stub;
	const struct hpkm_insn *in = NULL;
	struct hpkm_far_stub far;
	uint64_t at;

	if (e->rel != HPKM_REL_PC32 || piece->kind != HPKM_LINK_TEXT ||
	    (e->to.kind == HPKM_PLACE_EXTERN && e->to.offset))
		return false;
	code = hpkm_object_code(e->w->object, e->w->section);
	for (size_t i = 0; i < code->count && !in; i++)
		if (e->r->offset >= code->insns[i].offset &&
		    e->r->offset - code->insns[i].offset < code->insns[i].size)
			in = &code->insns[i];
	if (!in || in->offset < e->w->start)
		return false;
	at = in->offset - e->w->start;
	switch (c->anchor->arch->far_operand(piece->data + at, in->size,
					     e->r->offset - in->offset, &far)) {
	case HPKM_FAR_CELL:
		cell = hpkm_piece_cell(c, HPKM_CELL_ADDRESS, &e->to,
				       e->to.value);
		link_to(c, piece, e->r->offset - e->w->start, cell, 0);
		return true;
	case HPKM_FAR_STUB:
		cell = hpkm_piece_cell(c, HPKM_CELL_ADDRESS, &e->to,
				       e->to.value);
		stub = hpkm_link_add(c->link, c->span, hpkm_arena_printf
				     (c->patch->arena, "%s@load", e->to.name),
				     HPKM_LINK_TEXT, 8, far.code, far.size);
		link_to(c, piece, at + 1, stub, 0);
		link_to(c, stub, far.cell, cell, 0);
		link_to(c, stub, far.back, piece, at + in->size);
		return true;
	default:
		return false;
	}
}

static void emit_address(struct hpkm_emit *e)
{
	struct hpkm_closure *c = e->c;
	struct hpkm_place *to = &e->to;
	const struct hpkm_anchor_symbol *s;

	if ((e->rel == HPKM_REL_ABS32 || e->rel == HPKM_REL_ABS32S) &&
	    to->kind != HPKM_PLACE_VALUE && !c->anchor->fixed) {
		refuse(c, e->w->name,
		       "the object files are not position-independent, but %s is: compile them as it was",
		       c->anchor->name);
		return;
	}
	if (to->kind == HPKM_PLACE_TLS) {
		refuse(c, to->name, "%s refers to it as if it were not thread-local",
		       e->w->name);
		return;
	}
	if (to->kind == HPKM_PLACE_VALUE) {
		if (e->rel == HPKM_REL_CALL)
			emit_call_of_value(e);
		else if (hpkm_rel_pcrel(e->rel))
			refuse(c, to->name,
			       "%s refers to it, but nothing defines it",
			       e->w->name);
		else
			hpkm_emit_value(e, to->value + to->offset);
		return;
	}
	if (to->kind == HPKM_PLACE_IMPORT) {
		/*
		 * As a pointer, an import has its PLT entry's address only
		 * in a non-PIE, and only if the program was linked so.
		 */
		s = hpkm_anchor_global(c->anchor, to->name);
		if (s && e->rel != HPKM_REL_CALL) {
			to->kind = HPKM_PLACE_LIVE;
			to->value = s->addr;
		} else if (e->rel != HPKM_REL_CALL || !call_place(c, to)) {
			no_cell(c, to);
		}
	}
	if (to->kind == HPKM_PLACE_EXTERN || to->kind == HPKM_PLACE_OTHER) {
		if (e->rel == HPKM_REL_CALL) {
			far_call(c, to);
		} else if (emit_far(e)) {
			return;
		} else if (e->rel != HPKM_REL_ABS64) {
			refuse(c, to->name,
			       "%s reaches for it directly, but it is in a library, which may be anywhere: compile with -fPIC",
			       e->w->name);
			return;
		}
	} else if (to->ifunc) {
		if (!call_place(c, to)) {
			refuse(c, to->name,
			       "%s uses this IFUNC, and %s has no PLT entry for it",
			       e->w->name, c->anchor->name);
			return;
		}
	} else if (to->kind == HPKM_PLACE_LIVE && to->preemptible &&
		   e->rel == HPKM_REL_CALL) {
		uint64_t plt = hpkm_anchor_plt(c->anchor, to->name,
					       to->value);

		/* So that another library may still take it over. */
		if (plt)
			to->value = plt;
	}
	hpkm_emit(e, e->rel == HPKM_REL_CALL ? c->anchor->arch->type_pc32 :
		  e->r->type);
}

int hpkm_reference(struct hpkm_closure *c, const struct hpkm_taken *w, size_t i)
{
	struct hpkm_object *o = w->object;
	const struct hpkm_elf_section *s = &o->elf.sections[w->section];
	struct hpkm_emit e = {
		.c = c,
		.w = w,
		.r = &s->relocs[i],
		.index = i,
		.rel = o->arch->rel(s->relocs[i].type),
	};

	if (e.rel == HPKM_REL_NONE || e.rel == HPKM_REL_TLSDESC_CALL)
		return 0;
	if (e.rel == HPKM_REL_UNKNOWN) {
		refuse(c, w->name,
		       "it has a relocation of type %u, which is not supported",
		       e.r->type);
		return 0;
	}
	if (!hpkm_inside(e.r->offset, hpkm_rel_size(e.rel), w->end)) {
		refuse(c, w->name, "a relocation leans over its end");
		return 0;
	}
	if (hpkm_place_find(c, w, i, &e.to))
		return -1;
	if (e.to.kind == HPKM_PLACE_NOWHERE)
		return 0;
	switch (e.rel) {
	case HPKM_REL_GOT:
		emit_got(&e);
		break;
	case HPKM_REL_TPOFF32:
	case HPKM_REL_GOT_TPOFF:
	case HPKM_REL_TLSGD:
	case HPKM_REL_TLSLD:
	case HPKM_REL_TLSDESC:
	case HPKM_REL_DTPOFF32:
	case HPKM_REL_TLS:
		hpkm_emit_tls(&e);
		break;
	default:
		emit_address(&e);
	}
	return 0;
}
