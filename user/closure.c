// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: what the changed functions take along.
 *
 * A reference leads either into the image (to a piece) or into the anchor (to
 * a live thing).  What exists unchanged is live: there is one of it, and other
 * code knows it.  A function that is replaced is referred to at its old
 * address too: its pointers stay equal, and the trampoline there leads to
 * whatever version is the active one.  New things, strings, constants and jump
 * tables are taken along.
 */
#include <string.h>

#include "closure.h"
#include "hook.h"
#include "hpkm.h"
#include "tls.h"
#include "verify.h"

struct work {
	struct hpkm_link_piece *piece;
	struct hpkm_object *object;
	uint32_t section;
	uint64_t start, end;
	const char *name;
	bool nameless;
};

/* Of one anchor. */
struct closure {
	struct hpkm_patch *patch;
	struct hpkm_link *link;
	struct hpkm_link_span *span;
	const struct hpkm_anchor *anchor;
	struct closure *all;		/* of every anchor of the patch */
	bool skip_next;			/* what was changed has no use for it */
	/* Strings and constants that are pieces, for using them again. */
	struct hpkm_link_piece **pool;
	size_t pool_count;
	/* Cells and stubs: by what they are for. */
	struct cell *cells;
	size_t cell_count;
	/* Pieces whose relocations are still to be followed. */
	struct work *work;
	size_t work_count, work_done;
	/* Jump table entries of functions that may not be taken along. */
	struct entry {
		struct work work;
		size_t reloc;
		const struct hpkm_item *item;
	} *entries;
	size_t entry_count;
};

struct cell {
	enum cell_kind {
		CELL_ADDRESS,
		CELL_EXTERN,		/* address of an extern */
		CELL_TPOFF,
		CELL_TLS_PAIR,
		CELL_STUB,
	} kind;
	struct hpkm_link_piece *to;
	uint64_t value;
	bool copied;		/* of a slot; value is the offset */
	struct hpkm_link_piece *piece;
};

/* Where a reference leads. */
struct place {
	enum {
		PLACE_NOWHERE,		/* refused */
		PLACE_PIECE,
		PLACE_LIVE,
		PLACE_IMPORT,		/* the anchor imports it */
		PLACE_EXTERN,		/* nobody does so far */
		PLACE_OTHER,		/* a piece, near another anchor */
		PLACE_TLS,
		PLACE_VALUE,
	} kind;
	struct hpkm_link_piece *piece;
	const char *name;
	uint64_t value;		/* address, TLS offset, number or extern */
	int64_t offset;		/* in the piece, or from the address */
	bool ifunc, preemptible;
};

/* ---- pieces ---- */

static enum hpkm_link_kind piece_kind(const struct hpkm_elf_section *s)
{
	if (s->flags & SHF_EXECINSTR)
		return HPKM_LINK_TEXT;
	/* include/hpkm/patch.h puts only zeros there. */
	if (!strcmp(s->name, HPKM_HOOK_FRESH_SECTION))
		return HPKM_LINK_FRESH;
	/* Constants with addresses in them are only written by fixups. */
	if (!(s->flags & SHF_WRITE) || !strncmp(s->name, ".data.rel.ro", 12))
		return HPKM_LINK_RODATA;
	return s->data ? HPKM_LINK_DATA : HPKM_LINK_BSS;
}

static struct hpkm_link_piece *
add_piece(struct closure *c, struct hpkm_object *o, uint32_t section,
	  uint64_t start, uint64_t end, const char *name)
{
	const struct hpkm_elf_section *s = &o->elf.sections[section];
	struct hpkm_link_piece *piece;
	uint64_t align = s->align;

	/* A slice stands as it stood, modulo the section's alignment. */
	while (align > 1 && start & (align - 1))
		align /= 2;
	piece = hpkm_link_add(c->link, c->span, name, piece_kind(s), align,
			      s->data ? s->data + start : NULL, end - start);
	c->work = hpkm_arena_push(c->patch->arena, c->work, c->work_count,
				  sizeof(*c->work));
	c->work[c->work_count++] = (struct work){
		.piece = piece,
		.object = o,
		.section = section,
		.start = start,
		.end = end,
		.name = name,
	};
	return piece;
}

static struct hpkm_link_piece *item_piece(struct closure *c,
					  struct hpkm_item *item)
{
	uint64_t start = item->offset, end = start + item->size;

	if (item->piece)
		return item->piece;
	if (item->section == HPKM_SECTION_COMMON) {
		/* The value of a common symbol is its alignment. */
		uint64_t align = item->symbol->value;

		if (!align || align & (align - 1) || align > 1 << 24)
			align = 16;
		item->piece = hpkm_link_add(c->link, c->span, item->name,
					    HPKM_LINK_BSS, align, NULL,
					    item->size);
		return item->piece;
	}
	if (item->alone) {
		start = 0;
		end = hpkm_item_section(item)->size;
	}
	item->piece = add_piece(c, item->object, item->section, start, end,
				item->name);
	item->piece->item_offset = item->offset - start;
	item->piece->item_size = item->size;
	return item->piece;
}

static struct hpkm_link_piece *section_piece(struct closure *c,
					     struct hpkm_object *o,
					     uint32_t section)
{
	const struct hpkm_elf_section *s = &o->elf.sections[section];

	if (!o->section_piece[section]) {
		o->section_piece[section] =
			add_piece(c, o, section, 0, s->size, s->name);
		c->work[c->work_count - 1].nameless = true;
	}
	return o->section_piece[section];
}

/* Equal strings and constants are taken along once. */
static struct hpkm_link_piece *pool_piece(struct closure *c,
					  const struct hpkm_elf_section *s,
					  uint64_t start, uint64_t size)
{
	struct hpkm_link_piece *piece;

	for (size_t i = 0; i < c->pool_count; i++) {
		piece = c->pool[i];
		if (piece->size == size && piece->align >= s->align &&
		    !memcmp(piece->data, s->data + start, size))
			return piece;
	}
	piece = hpkm_link_add(c->link, c->span, s->name, HPKM_LINK_RODATA,
			      s->align, s->data + start, size);
	c->pool = hpkm_arena_push(c->patch->arena, c->pool, c->pool_count,
				  sizeof(*c->pool));
	c->pool[c->pool_count++] = piece;
	return piece;
}

/* An 8-byte cell that holds an address or a thread-pointer distance. */
static struct hpkm_link_piece *cell_piece(struct closure *c,
					  enum cell_kind kind,
					  const struct place *to,
					  uint64_t value)
{
	const struct hpkm_arch *arch = c->anchor->arch;
	struct hpkm_link_piece *piece, *target = NULL;
	struct hpkm_link_reloc *r;
	uint8_t bytes[8] = { 0 };

	if (to && (to->kind == PLACE_PIECE || to->kind == PLACE_OTHER)) {
		target = to->piece;
		value = to->offset;
	}
	if (kind == CELL_ADDRESS && to->kind == PLACE_EXTERN)
		kind = CELL_EXTERN;
	for (size_t i = 0; i < c->cell_count; i++)
		if (c->cells[i].kind == kind && c->cells[i].to == target &&
		    c->cells[i].value == value && !c->cells[i].copied)
			return c->cells[i].piece;
	if (kind == CELL_TPOFF)
		hpkm_put64(bytes, value);
	if (kind == CELL_STUB)
		piece = hpkm_link_add(c->link, c->span, hpkm_arena_printf
				      (c->patch->arena, "%s@plt", to->name),
				      HPKM_LINK_TEXT, 8, arch->stub,
				      arch->stub_size);
	else
		piece = hpkm_link_add(c->link, c->span, hpkm_arena_printf
				      (c->patch->arena, "%s@got", to->name),
				      HPKM_LINK_RODATA, 8, bytes, 8);
	if (kind != CELL_TPOFF) {
		r = hpkm_link_add_reloc(c->link, piece);
		r->offset = kind == CELL_STUB ? arch->stub_place : 0;
		r->type = kind == CELL_STUB ? arch->type_pc32 :
			arch->type_abs64;
		r->addend = kind == CELL_STUB ? arch->stub_addend : 0;
		r->to = target;
		r->name = to->name;
		r->is_extern = kind == CELL_EXTERN;
		if (target)
			r->addend += to->offset;
		else
			r->value = value;
	}
	c->cells = hpkm_arena_push(c->patch->arena, c->cells, c->cell_count,
				   sizeof(*c->cells));
	c->cells[c->cell_count++] = (struct cell){
		.kind = kind, .to = target, .value = value, .piece = piece,
	};
	return piece;
}

/* ---- where references lead ---- */

#define refuse(c, symbol, ...) \
	hpkm_refuse(&(c)->patch->verdicts, symbol, __VA_ARGS__)

static void live_symbol(const struct hpkm_anchor_symbol *s, int64_t offset,
			struct place *to)
{
	to->kind = s->type == STT_TLS ? PLACE_TLS : PLACE_LIVE;
	to->value = s->addr;
	to->offset = offset;
	to->ifunc = s->type == STT_GNU_IFUNC;
	to->preemptible = s->preemptible;
	to->name = s->name;
}

static void live_item(struct closure *c, struct hpkm_item *n, int64_t offset,
		      const char *user, struct place *to)
{
	const struct hpkm_anchor_symbol *s;
	const char *why = hpkm_verify_locate(c->patch, n->pair);

	if (why && n->kind == HPKM_ITEM_CONST) {
		/* The linker may have left it nameless; it is constant. */
		to->kind = PLACE_PIECE;
		to->piece = item_piece(c, n);
		to->offset = offset;
		return;
	}
	if (why) {
		refuse(c, n->name, "%s refers to it, but %s", user, why);
		return;
	}
	s = n->global ? hpkm_anchor_global(c->anchor, n->pair->name) : NULL;
	to->kind = n->kind == HPKM_ITEM_TLS ? PLACE_TLS : PLACE_LIVE;
	to->value = n->pair->live;
	to->offset = offset;
	to->name = n->pair->name;
	to->ifunc = n->pair->ifunc;
	to->preemptible = s && s->preemptible;
}

/* A global that a new object defines; NULL too when it is of another anchor. */
static struct hpkm_item *global_of(const struct hpkm_anchor *anchor,
				   const struct hpkm_object *o,
				   const char *name)
{
	const struct hpkm_name *found;
	size_t count;

	if (o->anchor != anchor)
		return NULL;
	found = hpkm_object_find(o, name, &count);
	for (size_t k = 0; k < count; k++)
		if (found[k].global)
			return found[k].item;
	return NULL;
}

/*
 * A new weak thing that several objects define is one thing: the definition
 * that is not weak, or else the first one.
 */
static struct hpkm_item *one_of_weak(struct closure *c, struct hpkm_item *n)
{
	struct hpkm_item *first = NULL, *other;

	if (n->pair || n->symbol->bind != STB_WEAK)
		return n;
	for (size_t i = 0; i < c->patch->pair_count; i++) {
		other = global_of(c->anchor, &c->patch->pairs[i].new, n->name);
		if (other && other->symbol->bind != STB_WEAK)
			return other;
		if (other && !first)
			first = other;
	}
	return first ? first : n;
}

static void item_place(struct closure *c, struct hpkm_item *n,
		       int64_t offset, const char *user, bool inside,
		       struct place *to)
{
	bool live = false;

	n = one_of_weak(c, n);

	switch (n->kind) {
	case HPKM_ITEM_FUNC:
		/* Into the middle: only its own parts and tables do that. */
		live = n->pair && !inside;
		break;
	case HPKM_ITEM_COLD:
		break;
	case HPKM_ITEM_CONST:
		live = n->pair && !n->changed;
		break;
	case HPKM_ITEM_DATA:
	case HPKM_ITEM_TLS:
		if (n->ambiguous) {
			refuse(c, n->name,
			       "%s refers to it, and it is not clear which variable of the running program it is",
			       user);
			return;
		}
		live = n->pair;
		if (!live && n->kind == HPKM_ITEM_TLS) {
			refuse(c, n->name,
			       "a new thread-local variable; threads that run have no room for it");
			return;
		}
		break;
	}
	if (live) {
		live_item(c, n, offset, user, to);
		return;
	}
	if (n->ifunc) {
		refuse(c, n->name, "a new IFUNC; use a plain function");
		return;
	}
	to->kind = PLACE_PIECE;
	to->piece = item_piece(c, n);
	to->offset = offset + (int64_t)to->piece->item_offset;
	to->name = n->name;
}

/* A global that another new object of an anchor defines. */
static struct hpkm_item *other_object(struct closure *c,
				      const struct hpkm_anchor *anchor,
				      const char *name)
{
	struct hpkm_item *item;

	for (size_t i = 0; i < c->patch->pair_count; i++) {
		item = global_of(anchor, &c->patch->pairs[i].new, name);
		if (item)
			return item;
	}
	return NULL;
}

static void extern_place(struct closure *c, const char *name,
			 const char *version, bool weak, struct place *to)
{
	to->kind = PLACE_EXTERN;
	to->value = hpkm_link_extern(c->link, c->span, name, version, weak);
}

/*
 * What is new in another anchor of this patch, and visible there: no library
 * that is loaded has it.
 */
static bool other_anchor(struct closure *c, const char *name, struct place *to)
{
	for (size_t i = 0; i < c->patch->anchor_count; i++) {
		const struct hpkm_anchor *a = &c->patch->anchors[i];
		struct hpkm_item *item;

		if (a == c->anchor)
			continue;
		item = other_object(c, a, name);
		if (!item || item->pair || item->ifunc ||
		    item->kind == HPKM_ITEM_TLS ||
		    item->symbol->visibility != STV_DEFAULT)
			continue;
		to->kind = PLACE_OTHER;
		to->piece = item_piece(&c->all[i], item);
		to->offset += to->piece->item_offset;
		return true;
	}
	return false;
}

/* A weak reference that the program was linked with, to nothing. */
static bool was_nothing(const struct closure *c, const char *name)
{
	for (size_t i = 0; i < c->patch->pair_count; i++) {
		const struct hpkm_object *old = &c->patch->pairs[i].old;

		if (old->anchor != c->anchor)
			continue;
		for (size_t k = 1; k < old->elf.symtab.count; k++) {
			const struct hpkm_elf_symbol *s =
				&old->elf.symtab.symbols[k];

			if (s->section == HPKM_SECTION_UNDEF &&
			    s->bind == STB_WEAK && !strcmp(s->name, name))
				return true;
		}
	}
	return false;
}

static void undefined_place(struct closure *c, const struct hpkm_ref *ref,
			    const char *user, struct place *to)
{
	bool weak = ref->symbol->bind == STB_WEAK;
	const char *name = ref->symbol->name;
	const struct hpkm_anchor_symbol *s;
	struct hpkm_item *item;

	to->name = name;
	item = other_object(c, c->anchor, name);
	if (item) {
		item_place(c, item, ref->offset, user, false, to);
		return;
	}
	s = hpkm_anchor_global(c->anchor, name);
	if (s && s->size == 0 && s->type == STT_FUNC &&
	    hpkm_anchor_import(c->anchor, name))
		s = NULL;	/* the PLT entry that stands for an import */
	if (s) {
		live_symbol(s, ref->offset, to);
		return;
	}
	to->offset = ref->offset;
	if (hpkm_anchor_import(c->anchor, name)) {
		to->kind = PLACE_IMPORT;
	} else if (other_anchor(c, name, to)) {
		return;
	} else if (weak && (!c->anchor->dynamic || was_nothing(c, name))) {
		to->kind = PLACE_VALUE;
	} else if (c->anchor->dynamic) {
		size_t n = strcspn(name, "@");

		/* "name@VERSION", of an assembler's .symver */
		to->name = hpkm_arena_printf(c->patch->arena, "%.*s", (int)n,
					     name);
		extern_place(c, to->name,
			     name[n] ? name + n + strspn(name + n, "@") : "",
			     weak, to);
	} else {
		refuse(c, name,
		       "%s uses it, but %s does not have it, and is static: no library can provide it",
		       user, c->anchor->name);
	}
}

/* By which of its names a thing is reached: each may be taken over. */
static void alias_place(struct closure *c, const struct hpkm_elf_symbol *sym,
			struct place *to)
{
	const struct hpkm_anchor_symbol *s;

	if (to->kind != PLACE_LIVE || sym->bind == STB_LOCAL)
		return;
	s = hpkm_anchor_global(c->anchor, sym->name);
	if (!s || s->addr != to->value)
		return;
	to->name = s->name;
	to->preemptible = s->preemptible;
}

static int find_place(struct closure *c, const struct work *w, size_t reloc,
		      struct place *to)
{
	const struct hpkm_elf_section *s;
	struct hpkm_object *o = w->object;
	struct hpkm_ref ref;
	uint64_t start;
	bool code;

	memset(to, 0, sizeof(*to));
	to->name = "";
	if (hpkm_object_ref(o, w->section, reloc, &ref))
		return -1;
	s = &o->elf.sections[ref.section];
	code = o->elf.sections[w->section].flags & SHF_EXECINSTR;
	switch (ref.kind) {
	case HPKM_REF_UNDEF:
		undefined_place(c, &ref, w->name, to);
		break;
	case HPKM_REF_ITEM:
		/*
		 * A jump table's entries are differences, and lead into the
		 * new code even where they look like its start.
		 */
		item_place(c, ref.item, ref.offset, w->name,
			   ref.offset ||
			   (!code && hpkm_rel_pcrel(o->arch->rel
				(o->elf.sections[w->section].relocs[reloc].type))),
			   to);
		alias_place(c, ref.symbol, to);
		break;
	case HPKM_REF_STRING:
		to->kind = PLACE_PIECE;
		to->piece = pool_piece(c, s, ref.offset,
				       hpkm_string_size(s, ref.offset));
		to->offset = ref.delta;
		break;
	case HPKM_REF_CONSTANT:
		start = ref.offset - ref.offset % s->entsize;
		to->kind = PLACE_PIECE;
		to->piece = pool_piece(c, s, start, s->entsize);
		to->offset = ref.offset - start + ref.delta;
		break;
	case HPKM_REF_SECTION:
		if (!(s->flags & SHF_ALLOC) ||
		    (s->flags & SHF_WRITE &&
		     strncmp(s->name, ".data.rel.ro", 12) &&
		     !hpkm_object_is_pool(o, ref.section))) {
			refuse(c, w->name,
			       "it refers to nameless data in section %s: compile with -fdata-sections",
			       s->name);
			break;
		}
		to->kind = PLACE_PIECE;
		to->piece = section_piece(c, o, ref.section);
		to->offset = ref.offset;
		break;
	case HPKM_REF_ABSOLUTE:
		to->kind = PLACE_VALUE;
		to->value = ref.offset;
		to->name = ref.symbol->name;
		break;
	}
	return 0;
}

/* ---- relocations ---- */

/* The anchor has no cell for an import: as if it did not import it. */
static void no_cell(struct closure *c, struct place *to)
{
	const struct hpkm_anchor_import *i =
		hpkm_anchor_import(c->anchor, to->name);

	extern_place(c, to->name, i->version, false, to);
}

/* A branch to what may be anywhere: through a cell of ours. */
static void far_call(struct closure *c, struct place *to)
{
	struct place cell = { .kind = PLACE_PIECE, .name = to->name };
	int64_t offset = to->offset;

	if (to->kind == PLACE_EXTERN)
		to->offset = 0;
	cell.piece = cell_piece(c, CELL_ADDRESS, to, to->value);
	if (to->kind == PLACE_OTHER)
		offset = 0;
	to->piece = cell_piece(c, CELL_STUB, &cell, 0);
	to->kind = PLACE_PIECE;
	to->offset = offset;
}

/* The address to call for an import or an IFUNC. */
static bool call_place(struct closure *c, struct place *to)
{
	const struct hpkm_arch *arch = c->anchor->arch;
	const struct hpkm_anchor_slot *slot;
	struct hpkm_link_piece *stub;
	struct place cell;

	if (to->ifunc) {
		slot = hpkm_anchor_ifunc(c->anchor, to->value);
		if (!slot)
			slot = hpkm_anchor_slot(c->anchor, to->name,
						arch->type_jump_slot);
	} else {
		uint64_t plt = hpkm_anchor_plt(c->anchor, to->name);

		if (plt) {
			to->kind = PLACE_LIVE;
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
		to->kind = PLACE_LIVE;
		to->value = slot->plt;
		return true;
	}
	cell = (struct place){ .kind = PLACE_LIVE, .name = to->name };
	stub = cell_piece(c, CELL_STUB, &cell, slot->addr);
	to->kind = PLACE_PIECE;
	to->piece = stub;
	return true;
}

/* The anchor's own GOT slot for a symbol that it imports or exports. */
static const struct hpkm_anchor_slot *got_slot(struct closure *c,
					       const struct place *to,
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
	if (slot)
		return slot;
	/*
	 * A lazily bound slot may hold the address of a PLT entry: fit for
	 * calls, not for pointers.
	 */
	slot = hpkm_anchor_slot(c->anchor, to->name, arch->type_jump_slot);
	return slot && (branch || c->anchor->bind_now) ? slot : NULL;
}

struct edit {
	struct closure *c;
	const struct work *w;
	const struct hpkm_elf_reloc *r;
	size_t index;
	enum hpkm_rel rel;
	struct place to;
};

static void emit(struct edit *e, uint32_t type)
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
	r->is_extern = e->to.kind == PLACE_EXTERN;
	if (e->to.kind == PLACE_PIECE || e->to.kind == PLACE_OTHER)
		r->to = e->to.piece;
	else
		r->value = e->to.value;
}

/* A number that is known now is written now. */
static void emit_value(struct edit *e, uint64_t value)
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

/* @insn: the branch through the GOT that the relocation belongs to. */
static bool is_got_branch(const struct edit *e)
{
	const struct hpkm_object *o = e->w->object;
	const struct hpkm_elf_section *s = &o->elf.sections[e->w->section];
	struct hpkm_insn fake = { .size = 6 };

	return s->flags & SHF_EXECINSTR && e->r->offset >= 2 &&
		o->arch->got_branch(s->data + e->r->offset - 2, &fake);
}

static void emit_got(struct edit *e)
{
	struct closure *c = e->c;
	const struct hpkm_anchor_slot *slot = NULL;
	bool branch = is_got_branch(e);
	struct place to = e->to;

	if (to.kind == PLACE_IMPORT || to.ifunc || to.preemptible)
		slot = got_slot(c, &to, branch);
	e->to.offset = 0;
	if (slot) {
		e->to.kind = PLACE_LIVE;
		e->to.value = slot->addr;
		emit(e, c->anchor->arch->type_pc32);
		return;
	}
	if (to.kind == PLACE_IMPORT || to.ifunc) {
		const struct hpkm_anchor_symbol *s;

		s = hpkm_anchor_global(c->anchor, to.name);
		if (s && to.kind == PLACE_IMPORT) {
			/* A non-PIE's PLT entry is its official address. */
			to.kind = PLACE_LIVE;
			to.value = s->addr;
		} else if (to.kind == PLACE_IMPORT) {
			if (!branch || !call_place(c, &to))
				no_cell(c, &to);
		} else if (!call_place(c, &to)) {
			refuse(c, to.name,
			       "%s takes its address, and %s has no cell that holds it",
			       e->w->name, c->anchor->name);
			return;
		}
	}
	if (to.kind == PLACE_VALUE)
		e->to.piece = cell_piece(c, CELL_TPOFF, &to, to.value);
	else
		e->to.piece = cell_piece(c, CELL_ADDRESS, &to, to.value);
	e->to.kind = PLACE_PIECE;
	emit(e, c->anchor->arch->type_pc32);
}

static uint64_t tpoff(const struct closure *c, uint64_t offset)
{
	const struct hpkm_anchor *a = c->anchor;

	return a->arch->tpoff(offset, a->tls_size, a->tls_align);
}

/* A cell or pair that is made of a slot of the anchor. */
static struct hpkm_link_piece *tls_piece(struct edit *e,
					 const struct hpkm_tls_cell *cell)
{
	bool pair = e->rel == HPKM_REL_TLSGD || e->rel == HPKM_REL_TLSLD;
	enum cell_kind kind = pair ? CELL_TLS_PAIR : CELL_TPOFF;
	uint64_t value = e->rel == HPKM_REL_TLSLD ? 0 : e->to.value;
	struct closure *c = e->c;
	uint8_t bytes[16] = { 0 };
	struct hpkm_link_piece *piece;

	for (size_t i = 0; i < c->cell_count; i++)
		if (c->cells[i].kind == kind && c->cells[i].copied &&
		    c->cells[i].value == value)
			return c->cells[i].piece;
	hpkm_put64(bytes, cell->add);
	hpkm_put64(bytes + 8, value);
	piece = hpkm_link_add(c->link, c->span, hpkm_arena_printf
			      (c->patch->arena, "%s@tls", e->to.name),
			      HPKM_LINK_RODATA, 8, bytes, pair ? 16 : 8);
	hpkm_link_copy(c->link, piece, cell->copy);
	c->cells = hpkm_arena_push(c->patch->arena, c->cells, c->cell_count,
				   sizeof(*c->cells));
	c->cells[c->cell_count++] = (struct cell){
		.kind = kind, .copied = true, .value = value, .piece = piece,
	};
	return piece;
}

/*
 * An executable's own variables are at fixed distances from the thread
 * pointer: what the compiler did not know when it made the code for a library,
 * ld makes good, and so is done here.
 */
static void relax_tls(struct edit *e)
{
	const struct hpkm_arch *arch = e->c->anchor->arch;
	uint64_t place = e->r->offset - e->w->start, field = 0;
	struct hpkm_link_piece *piece = e->w->piece;
	const struct hpkm_anchor_slot *slot = NULL;
	struct hpkm_link_reloc *r;

	if (e->to.kind != PLACE_TLS)
		slot = hpkm_anchor_slot(e->c->anchor, e->to.name,
					arch->type_tpoff64);
	if ((e->to.kind != PLACE_TLS && !slot) ||
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

static void emit_tls(struct edit *e)
{
	struct closure *c = e->c;
	struct hpkm_tls_cell cell;
	struct place *to = &e->to;
	bool library = c->anchor->library;

	switch (e->rel) {
	case HPKM_REL_TPOFF32:
		if (to->kind != PLACE_TLS || library)
			refuse(c, to->name,
			       "%s needs its place in the thread's block, which is only fixed for the executable's own variables",
			       e->w->name);
		else
			emit_value(e, tpoff(c, to->value + to->offset));
		return;
	case HPKM_REL_DTPOFF32:
		if (to->kind != PLACE_TLS)
			refuse(c, to->name,
			       "%s takes it for a variable of its own",
			       e->w->name);
		else
			emit_value(e, library ? to->value + to->offset :
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
			  to->kind == PLACE_TLS && !to->preemptible,
			  to->value, &cell)) {
		if (cell.slot) {
			to->kind = PLACE_LIVE;
			to->value = cell.slot;
		} else {
			to->piece = tls_piece(e, &cell);
			to->kind = PLACE_PIECE;
		}
	} else if (to->kind == PLACE_TLS && !library &&
		   e->rel == HPKM_REL_GOT_TPOFF) {
		to->piece = cell_piece(c, CELL_TPOFF, to,
				       tpoff(c, to->value));
		to->kind = PLACE_PIECE;
	} else if (to->kind == PLACE_EXTERN) {
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
	emit(e, c->anchor->arch->type_pc32);
}

/* "if (f) f()": f is weak and nobody's, and the call is never reached. */
static void emit_call_of_value(struct edit *e)
{
	struct closure *c = e->c;
	struct place cell = { .kind = PLACE_PIECE, .name = e->to.name };

	cell.piece = cell_piece(c, CELL_TPOFF, &e->to, e->to.value);
	e->to.piece = cell_piece(c, CELL_STUB, &cell, 0);
	e->to.kind = PLACE_PIECE;
	e->to.offset = 0;
	emit(e, c->anchor->arch->type_pc32);
}

/* A relocation against a piece, 4 bytes before where it counts from. */
static void link_to(struct closure *c, struct hpkm_link_piece *from,
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
static bool emit_far(struct edit *e)
{
	const struct hpkm_code *code;
	struct closure *c = e->c;
	struct hpkm_link_piece *piece = e->w->piece, *cell, *stub;
	const struct hpkm_insn *in = NULL;
	struct hpkm_far_stub far;
	uint64_t at;

	if (e->rel != HPKM_REL_PC32 || piece->kind != HPKM_LINK_TEXT ||
	    (e->to.kind == PLACE_EXTERN && e->to.offset))
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
		cell = cell_piece(c, CELL_ADDRESS, &e->to, e->to.value);
		link_to(c, piece, e->r->offset - e->w->start, cell, 0);
		return true;
	case HPKM_FAR_STUB:
		cell = cell_piece(c, CELL_ADDRESS, &e->to, e->to.value);
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

static void emit_address(struct edit *e)
{
	struct closure *c = e->c;
	struct place *to = &e->to;
	const struct hpkm_anchor_symbol *s;

	if ((e->rel == HPKM_REL_ABS32 || e->rel == HPKM_REL_ABS32S) &&
	    to->kind != PLACE_VALUE && !c->anchor->fixed) {
		refuse(c, e->w->name,
		       "the object files are not position-independent, but %s is: compile them as it was",
		       c->anchor->name);
		return;
	}
	if (to->kind == PLACE_TLS) {
		refuse(c, to->name, "%s refers to it as if it were not thread-local",
		       e->w->name);
		return;
	}
	if (to->kind == PLACE_VALUE) {
		if (e->rel == HPKM_REL_CALL)
			emit_call_of_value(e);
		else if (hpkm_rel_pcrel(e->rel))
			refuse(c, to->name,
			       "%s refers to it, but nothing defines it",
			       e->w->name);
		else
			emit_value(e, to->value + to->offset);
		return;
	}
	if (to->kind == PLACE_IMPORT) {
		/*
		 * As a pointer, an import has its PLT entry's address only
		 * in a non-PIE, and only if the program was linked so.
		 */
		s = hpkm_anchor_global(c->anchor, to->name);
		if (s && e->rel != HPKM_REL_CALL) {
			to->kind = PLACE_LIVE;
			to->value = s->addr;
		} else if (e->rel != HPKM_REL_CALL || !call_place(c, to)) {
			no_cell(c, to);
		}
	}
	if (to->kind == PLACE_EXTERN || to->kind == PLACE_OTHER) {
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
	} else if (to->kind == PLACE_LIVE && to->preemptible &&
		   e->rel == HPKM_REL_CALL) {
		uint64_t plt = hpkm_anchor_plt(c->anchor, to->name);

		/* So that another library may still take it over. */
		if (plt)
			to->value = plt;
	}
	emit(e, e->rel == HPKM_REL_CALL ? c->anchor->arch->type_pc32 :
	     e->r->type);
}

static int follow_one(struct closure *c, const struct work *w, size_t i)
{
	struct hpkm_object *o = w->object;
	const struct hpkm_elf_section *s = &o->elf.sections[w->section];
	struct edit e = {
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
	if (find_place(c, w, i, &e.to))
		return -1;
	if (e.to.kind == PLACE_NOWHERE)
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
		emit_tls(&e);
		break;
	default:
		emit_address(&e);
	}
	return 0;
}

/*
 * A section without symbols is taken along as a whole.  It may hold jump
 * tables of other functions, too: those entries stay as they are unless their
 * function is taken along.
 */
static bool put_off(struct closure *c, const struct work *w, size_t reloc)
{
	struct hpkm_ref ref;

	if (!w->nameless || hpkm_object_ref(w->object, w->section, reloc,
					    &ref) ||
	    ref.kind != HPKM_REF_ITEM || ref.item->kind != HPKM_ITEM_FUNC ||
	    ref.item->piece || !ref.item->pair || !ref.offset)
		return false;
	c->entries = hpkm_arena_push(c->patch->arena, c->entries,
				     c->entry_count, sizeof(*c->entries));
	c->entries[c->entry_count++] = (struct entry){ *w, reloc, ref.item };
	return true;
}

static int follow(struct closure *c, const struct work *w)
{
	size_t first, count;

	hpkm_object_relocs(w->object, w->section, w->start, w->end, &first,
			   &count);
	for (size_t i = first; i < first + count; i++) {
		c->skip_next = false;
		if (!put_off(c, w, i) && follow_one(c, w, i))
			return -1;
		i += c->skip_next;
	}
	return 0;
}

static int follow_entries(struct closure *c)
{
	for (size_t i = 0; i < c->entry_count; i++) {
		struct entry e = c->entries[i];

		if (e.item->piece && follow_one(c, &e.work, e.reloc))
			return -1;
	}
	return 0;
}

/*
 * A slice of a section that holds several functions must not reach out of
 * itself without a relocation.
 */
static void check_slice(struct closure *c, const struct work *w)
{
	const struct hpkm_elf_section *s =
		&w->object->elf.sections[w->section];
	const struct hpkm_code *code;
	size_t first, count;

	if (!(s->flags & SHF_EXECINSTR))
		return;
	code = hpkm_object_code(w->object, w->section);
	if (code->broken && code->broken_at < w->end) {
		refuse(c, w->name, "its new code cannot be decoded");
		return;
	}
	for (size_t i = 0; i < code->count; i++) {
		const struct hpkm_insn *in = &code->insns[i];

		if (in->offset < w->start || in->offset >= w->end ||
		    !(in->flags & (HPKM_INSN_DIRECT | HPKM_INSN_PCREL)) ||
		    (in->target >= w->start && in->target < w->end))
			continue;
		hpkm_object_relocs(w->object, w->section, in->offset,
				   (uint64_t)in->offset + in->size, &first,
				   &count);
		if (!count) {
			refuse(c, w->name,
			       "it shares a section with other functions: compile with -ffunction-sections");
			return;
		}
	}
}

/* The pieces of gate and function follow each other, and stand so. */
static void add_func(struct closure *c, struct hpkm_patch_func *f,
		     struct hpkm_hooks *hooks)
{
	if (hooks->state)
		f->gate = hpkm_hook_gate(hooks, c->link, c->span, f->name);
	item_piece(c, f->new);
	if (f->gate)
		hpkm_hook_lead(hooks, c->link, f);
}

/* The addresses of hooks are followed as those in their sections would be. */
static int add_hooks(struct closure *c, const struct hpkm_hook_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct hpkm_hook_record *from = &list->records[i];
		struct hpkm_object *o = from->object;
		const struct hpkm_elf_reloc *r =
			&o->elf.sections[from->section].relocs[from->reloc];
		struct work w = {
			.piece = list->table,
			.object = o,
			.section = from->section,
			/* Below 0 is fine: only the difference counts. */
			.start = r->offset - 8 * i,
			.end = r->offset + 8,
			.name = o->elf.sections[from->section].name,
		};

		if (follow_one(c, &w, from->reloc))
			return -1;
	}
	return 0;
}

static int close_anchor(struct closure *c)
{
	while (c->work_done < c->work_count) {
		/* The list may move while it grows. */
		struct work w = c->work[c->work_done++];

		check_slice(c, &w);
		if (follow(c, &w))
			return -1;
	}
	return 0;
}

/* What an anchor's new code starts from: its functions and hooks. */
static int start_anchor(struct closure *c)
{
	struct hpkm_hooks *hooks =
		&c->patch->hooks[c->anchor - c->patch->anchors];

	hpkm_hook_add(hooks, c->link, c->span);
	for (size_t i = 0; i < c->patch->func_count; i++)
		if (c->patch->funcs[i].new->object->anchor == c->anchor)
			add_func(c, &c->patch->funcs[i], hooks);
	return add_hooks(c, &hooks->apply) || add_hooks(c, &hooks->revert) ?
		-1 : 0;
}

/* An anchor is in the image only when functions of it are replaced. */
static void check_anchors(const struct hpkm_patch *patch,
			  struct closure *all)
{
	for (size_t i = 0; i < patch->anchor_count; i++) {
		size_t k = 0;

		while (k < patch->func_count &&
		       patch->funcs[k].new->object->anchor != all[i].anchor)
			k++;
		if (k == patch->func_count && all[i].span->piece_count)
			refuse(&all[i], all[i].anchor->name,
			       "others use what is new in it, but no function of it changes");
	}
}

int hpkm_closure(struct hpkm_patch *patch, struct hpkm_link *link)
{
	size_t count = patch->anchor_count;
	struct closure *all;
	bool more = true;

	all = hpkm_arena_alloc(patch->arena, count, sizeof(*all));
	for (size_t i = 0; i < count; i++) {
		all[i].patch = patch;
		all[i].link = link;
		all[i].span = &link->spans[i];
		all[i].anchor = &patch->anchors[i];
		all[i].all = all;
	}
	for (size_t i = 0; i < count; i++)
		if (start_anchor(&all[i]))
			return -1;
	/* One may add to what another has to take along. */
	while (more) {
		more = false;
		for (size_t i = 0; i < count; i++) {
			more |= all[i].work_done < all[i].work_count;
			if (close_anchor(&all[i]))
				return -1;
		}
	}
	for (size_t i = 0; i < count; i++)
		if (follow_entries(&all[i]))
			return -1;
	check_anchors(patch, all);
	return 0;
}
