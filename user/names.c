// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 2, diff: names that mean something else than before.
 *
 * A function may have several names, or get them: compilers make one of two
 * that are alike.  Code that is not compiled anew goes on calling what it called
 * by each of them.
 */
#include <string.h>

#include "compare.h"
#include "names.h"

static bool is_strong(const struct hpkm_elf_symbol *s)
{
	return s->bind != STB_LOCAL && s->bind != STB_WEAK;
}

/* Of an item that may have other names; NULL when none of those is strong. */
static const struct hpkm_anchor_symbol *
taken_name(const struct hpkm_object *new, const struct hpkm_item *n)
{
	const struct hpkm_elf_symtab *t = &new->elf.symtab;
	const struct hpkm_anchor_symbol *s;

	for (size_t i = 1; i < t->count; i++) {
		if (new->of_symbol[i] != n || !is_strong(&t->symbols[i]))
			continue;
		s = hpkm_anchor_global(new->anchor, t->symbols[i].name);
		if (s && s->global && s->size)
			return s;
	}
	return NULL;
}

/*
 * The target would have two of that name, and the patch the wrong one.  Of a
 * weak one the target's own is used (place.c).
 */
static void check_new(const struct hpkm_object *new, const struct hpkm_item *n,
		      struct hpkm_verdicts *verdicts)
{
	const struct hpkm_anchor_symbol *s = taken_name(new, n);

	if (s)
		hpkm_refuse(verdicts, s->name,
			    "it is new in %s, but %s has one already: give the object files that it was in, too",
			    new->elf.path, new->anchor->name);
}

/* Under a name of a new function, what was there before? */
static void check_name(struct hpkm_object *old, const struct hpkm_name *name,
		       struct hpkm_verdicts *verdicts, bool *damaged)
{
	struct hpkm_item *n = name->item, *o;
	const struct hpkm_name *found;
	size_t count;

	found = hpkm_object_find(old, name->name, &count);
	for (size_t i = 0; i < count; i++) {
		o = found[i].item;
		if (o->kind != HPKM_ITEM_FUNC || o == n->pair ||
		    found[i].global != name->global)
			continue;
		/* Another one, whose code stays and is as good. */
		if (!o->pair && hpkm_same_item(o, n, damaged))
			continue;
		if (o->pair && !o->pair->changed &&
		    hpkm_same_item(o, n, damaged))
			continue;
		hpkm_refuse_func(verdicts, n, NULL, o->pair ?
				 "%s was one function with %s, and is another one now: code that calls it would call the wrong one" :
				 "%s is one function with %s now: code that calls it would call the old one",
				 name->name, o->pair ? o->name : n->name);
		return;
	}
}

void hpkm_names_check(struct hpkm_object *old, struct hpkm_object *new,
		      struct hpkm_verdicts *verdicts, bool *damaged)
{
	size_t refusals = verdicts->refusals;

	for (size_t i = 0; i < new->name_count; i++)
		if (new->names[i].item->kind == HPKM_ITEM_FUNC &&
		    !hpkm_item_numbered(new->names[i].item))
			check_name(old, &new->names[i], verdicts, damaged);
	if (refusals != verdicts->refusals || !new->anchor)
		return;
	for (size_t i = 0; i < new->item_count; i++)
		if (!new->items[i]->pair)
			check_new(new, new->items[i], verdicts);
}

static bool defines(const struct hpkm_elf *elf, const char *name)
{
	for (size_t i = 1; i < elf->symtab.count; i++) {
		const struct hpkm_elf_symbol *s = &elf->symtab.symbols[i];

		if (is_strong(s) && s->section != HPKM_SECTION_UNDEF &&
		    !strcmp(s->name, name))
			return true;
	}
	return false;
}

static bool rest_defines(const char *path, const char *name)
{
	struct hpkm_arena scratch = { 0 };
	struct hpkm_elf elf = { 0 };
	bool does = false;
	uint8_t *bytes;
	size_t size;

	bytes = hpkm_file_read(&scratch, path, &size);
	if (bytes && size > SELFMAG && !memcmp(bytes, ELFMAG, SELFMAG))
		does = !hpkm_elf_parse(&scratch, &elf, path, bytes, size) &&
			defines(&elf, name);
	hpkm_arena_free(&scratch);
	return does;
}

const char *hpkm_names_override(struct hpkm_patch *patch,
				const struct hpkm_item *old)
{
	const struct hpkm_anchor *a = old->object->anchor;

	if (old->symbol->bind != STB_WEAK)
		return NULL;
	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *o = &patch->pairs[i].old;

		if (o != old->object && o->anchor == a &&
		    defines(&o->elf, old->name))
			return o->elf.path;
	}
	for (size_t i = 0; i < patch->rest_count; i++)
		if (patch->rest[i].anchor == a &&
		    rest_defines(patch->rest[i].path, old->name))
			return patch->rest[i].name;
	return NULL;
}
