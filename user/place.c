// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: where a reference leads.
 *
 * Into the image (to a piece) or into the anchor (to a live thing).  What
 * exists unchanged is live: there is one of it, and other code knows it.  A
 * function that is replaced is referred to at its old address too: its
 * pointers stay equal, and the trampoline there leads to whatever version is
 * the active one.  New things, strings, constants and jump tables are taken
 * along.
 */
#include <string.h>

#include "place.h"
#include "verify.h"

static void live_symbol(const struct hpkm_anchor_symbol *s, int64_t offset,
			struct hpkm_place *to)
{
	to->kind = s->type == STT_TLS ? HPKM_PLACE_TLS : HPKM_PLACE_LIVE;
	to->value = s->addr;
	to->offset = offset;
	to->ifunc = s->type == STT_GNU_IFUNC;
	to->preemptible = s->preemptible;
	to->data = s->type == STT_OBJECT;
	to->version = s->superseded ? s->version : "";
	to->name = s->name;
}

static void live_item(struct hpkm_closure *c, struct hpkm_item *n,
		      int64_t offset, const char *user,
		      struct hpkm_place *to)
{
	const struct hpkm_anchor_symbol *s;
	const char *why = hpkm_verify_locate(c->patch, n->pair);

	if (why && n->kind == HPKM_ITEM_CONST) {
		/* The linker may have left it nameless; it is constant. */
		to->kind = HPKM_PLACE_PIECE;
		to->piece = hpkm_piece_item(c, n);
		to->offset = offset;
		return;
	}
	if (why) {
		refuse(c, n->name, "%s refers to it, but %s", user, why);
		return;
	}
	s = n->global ? hpkm_anchor_global(c->anchor, n->pair->name) : NULL;
	to->kind = n->kind == HPKM_ITEM_TLS ? HPKM_PLACE_TLS : HPKM_PLACE_LIVE;
	to->value = n->pair->live;
	to->offset = offset;
	to->name = n->pair->name;
	to->ifunc = n->pair->ifunc;
	to->preemptible = s && s->preemptible;
	to->data = !hpkm_item_is_code(n);
	to->version = s && s->superseded ? s->version : "";
	if (s)
		to->name = s->name;
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
static struct hpkm_item *one_of_weak(struct hpkm_closure *c,
				     struct hpkm_item *n)
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

/* A new weak thing that the target has already: there it is that one. */
static const struct hpkm_anchor_symbol *
instead_of_weak(const struct hpkm_closure *c, const struct hpkm_item *n)
{
	const struct hpkm_anchor_symbol *s;

	if (n->pair || n->symbol->bind != STB_WEAK)
		return NULL;
	s = hpkm_anchor_global(c->anchor, n->name);
	return s && s->size ? s : NULL;
}

static void item_place(struct hpkm_closure *c, struct hpkm_item *n,
		       int64_t offset, const char *user, bool inside,
		       struct hpkm_place *to)
{
	const struct hpkm_anchor_symbol *s;
	bool live = false;

	n = one_of_weak(c, n);
	s = inside ? NULL : instead_of_weak(c, n);
	if (s) {
		live_symbol(s, offset, to);
		return;
	}
	if (n->perhaps) {
		refuse(c, n->name,
		       "%s refers to it, and it is not clear which variable of the running program it is: it may be %s",
		       user, n->perhaps->name);
		return;
	}
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
	to->kind = HPKM_PLACE_PIECE;
	to->piece = hpkm_piece_item(c, n);
	to->offset = offset + (int64_t)to->piece->item_offset;
	to->name = n->name;
}

/* A global that another new object of an anchor defines. */
static struct hpkm_item *other_object(struct hpkm_closure *c,
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

void hpkm_place_extern(struct hpkm_closure *c, const char *name,
		       const char *version, bool weak, struct hpkm_place *to)
{
	to->kind = HPKM_PLACE_EXTERN;
	to->value = hpkm_link_extern(c->link, c->span, name, version, weak);
}

/*
 * What is new in another anchor of this patch, and visible there: no library
 * that is loaded has it.
 */
static bool other_anchor(struct hpkm_closure *c, const char *name,
			 struct hpkm_place *to)
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
		to->kind = HPKM_PLACE_OTHER;
		to->piece = hpkm_piece_item(&c->all[i], item);
		to->offset += to->piece->item_offset;
		return true;
	}
	return false;
}

/* A weak reference that the program was linked with, to nothing. */
static bool was_nothing(const struct hpkm_closure *c, const char *name)
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

static void undefined_place(struct hpkm_closure *c, const struct hpkm_ref *ref,
			    const char *user, struct hpkm_place *to)
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
		to->kind = HPKM_PLACE_IMPORT;
	} else if (other_anchor(c, name, to)) {
		return;
	} else if (weak && (!c->anchor->dynamic || was_nothing(c, name))) {
		to->kind = HPKM_PLACE_VALUE;
	} else if (c->anchor->dynamic) {
		size_t n = strcspn(name, "@");

		/* "name@VERSION", of an assembler's .symver */
		to->name = hpkm_arena_printf(c->patch->arena, "%.*s", (int)n,
					     name);
		hpkm_place_extern(c, to->name,
				  name[n] ? name + n + strspn(name + n, "@") : "",
				  weak, to);
	} else {
		refuse(c, name,
		       "%s uses it, but %s does not have it, and is static: no library can provide it",
		       user, c->anchor->name);
	}
}

/* By which of its names a thing is reached: each may be taken over. */
static void alias_place(struct hpkm_closure *c,
			const struct hpkm_elf_symbol *sym,
			struct hpkm_place *to)
{
	const struct hpkm_anchor_symbol *s;

	if (to->kind != HPKM_PLACE_LIVE || sym->bind == STB_LOCAL)
		return;
	s = hpkm_anchor_global(c->anchor, sym->name);
	if (!s || s->addr != to->value)
		return;
	to->name = s->name;
	to->version = s->superseded ? s->version : "";
	to->preemptible = s->preemptible;
}

int hpkm_place_find(struct hpkm_closure *c, const struct hpkm_taken *w,
		    size_t reloc, struct hpkm_place *to)
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
		to->kind = HPKM_PLACE_PIECE;
		to->piece = hpkm_piece_pool(c, s, ref.offset,
					    hpkm_string_size(s, ref.offset));
		to->offset = ref.delta;
		break;
	case HPKM_REF_CONSTANT:
		start = ref.offset - ref.offset % s->entsize;
		to->kind = HPKM_PLACE_PIECE;
		to->piece = hpkm_piece_pool(c, s, start, s->entsize);
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
		to->kind = HPKM_PLACE_PIECE;
		to->piece = hpkm_piece_section(c, o, ref.section);
		to->offset = ref.offset;
		break;
	case HPKM_REF_ABSOLUTE:
		to->kind = HPKM_PLACE_VALUE;
		to->value = ref.offset;
		to->name = ref.symbol->name;
		break;
	}
	return 0;
}
