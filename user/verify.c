// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: proof that the source is the one running.  Each
 * function that is replaced is looked for in the anchor: what has its name is
 * compared with it (proof.c).
 */
#include <string.h>

#include "candidates.h"
#include "names.h"
#include "proof.h"
#include "verify.h"

static void try_candidates(struct hpkm_patch *patch, struct hpkm_item *item,
			   const struct hpkm_candidates *all,
			   struct hpkm_proof *best, size_t *right,
			   size_t *tried)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct hpkm_anchor_symbol *s = all->list[i];
		struct hpkm_proof p = {
			.patch = patch,
			.item = item,
			.addr = s->addr,
			.size = s->size,
		};

		/* What other code refers to settles it. */
		if (item->live_known && item->live != s->addr)
			continue;
		/* Several names of one place are one candidate. */
		if (i && all->list[i - 1]->addr == s->addr)
			continue;
		++*tried;
		if (hpkm_proof_run(&p)) {
			if (!*right || p.found_count > best->found_count)
				*best = p;
			++*right;
		} else if (*tried == 1) {
			*best = p;
		}
		if (p.damaged)
			return;
	}
}

static void try_function(struct hpkm_patch *patch, struct hpkm_item *item,
			 struct hpkm_proof *best, size_t *right, size_t *tried)
{
	*right = 0;
	*tried = 0;
	try_candidates(patch, item, hpkm_candidates(item), best, right, tried);
	if (!*right)
		try_candidates(patch, item, hpkm_candidates_numbered(item),
			       best, right, tried);
}

/*
 * Every function of the object that can be told by its name is compared, for
 * the sake of what it refers to.
 */
static void gather(struct hpkm_patch *patch, struct hpkm_object *o)
{
	struct hpkm_proof best;
	size_t right, tried;

	for (size_t i = 0; i < o->item_count; i++) {
		if (o->items[i]->kind != HPKM_ITEM_FUNC ||
		    o->items[i]->ifunc || o->items[i]->live_size)
			continue;
		try_function(patch, o->items[i], &best, &right, &tried);
		if (right == 1)
			hpkm_proof_accept(&best);
	}
}

/*
 * Is no other file meant by the name of @s's file?  Or are all of that name at
 * hand, and no other has such a thing?
 */
static bool is_only_file(const struct hpkm_patch *patch,
			 const struct hpkm_item *item,
			 const struct hpkm_anchor_symbol *s)
{
	size_t files = 0, having = 0, count;

	if (s->file_count <= 1)
		return true;
	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *o = &patch->pairs[i].old;

		if (o->anchor != item->object->anchor || !o->file ||
		    strcmp(o->file, s->file))
			continue;
		files++;
		hpkm_object_find(o, item->name, &count);
		having += count > 0;
	}
	return files >= s->file_count && having == 1;
}

const char *hpkm_verify_locate(struct hpkm_patch *patch,
			       struct hpkm_item *item)
{
	const struct hpkm_candidates *all;

	if (item->live_known)
		return NULL;
	all = hpkm_candidates(item);
	if (all->count == 1 &&
	    (item->global ||
	     (hpkm_candidate_same_file(item, all->list[0]) &&
	      is_only_file(patch, item, all->list[0])))) {
		item->live_known = true;
		item->live = all->list[0]->addr;
		return NULL;
	}
	gather(patch, item->object);
	if (item->live_known)
		return NULL;
	return all->count ? "what has that name in the target may be of another file, and no code tells which one it is" :
		"the target has no symbol of that name";
}

/* Does anything but code hold the address of an old function? */
static bool address_is_held(struct hpkm_item *item)
{
	struct hpkm_object *o = item->object;
	struct hpkm_ref ref;

	for (uint32_t s = 1; s < o->elf.section_count; s++) {
		const struct hpkm_elf_section *section = &o->elf.sections[s];

		if (!(section->flags & SHF_ALLOC) ||
		    section->flags & SHF_EXECINSTR ||
		    !strcmp(section->name, ".eh_frame"))
			continue;
		for (size_t i = 0; i < section->reloc_count; i++)
			if (!hpkm_object_ref(o, s, i, &ref) &&
			    ref.kind == HPKM_REF_ITEM && ref.item == item)
				return true;
	}
	return false;
}

/* The old one is not in the target; the new one is like a new function. */
static void leave_out(struct hpkm_item *old, struct hpkm_item *new)
{
	new->changed = false;
	new->pair = NULL;
	old->pair = NULL;
}

/*
 * A function that the target has no symbol of.  If nothing there refers to it
 * the linker has dropped it, all callers having an inlined copy of it: then
 * there is nothing to replace, and the new one is like a new function.
 */
static void absent(struct hpkm_patch *patch, struct hpkm_item *old,
		   struct hpkm_item *new)
{
	const char *target = old->object->anchor->name;

	if (old->kind == HPKM_ITEM_FUNC && !old->live_known)
		gather(patch, old->object);
	/* What has a version is exported: that was never dropped. */
	if (old->kind != HPKM_ITEM_FUNC || old->live_known ||
	    strchr(old->name, '@') || address_is_held(old)) {
		hpkm_refuse_func(&patch->verdicts, new, NULL,
				 "%s has no such function: is it built from this source?",
				 target);
		return;
	}
	hpkm_caution(&patch->verdicts, new->name,
		     "%s has no such function, and no code that calls it: nothing to replace",
		     target);
	leave_out(old, new);
}

static void verify_item(struct hpkm_patch *patch, struct hpkm_item *item)
{
	struct hpkm_item *func = item->parent ? item->parent : item;
	const char *target = item->object->anchor->name;
	struct hpkm_proof best = { 0 };
	size_t right, tried;
	const char *other;

	try_function(patch, item, &best, &right, &tried);
	if (right > 1) {
		gather(patch, item->object);
		try_function(patch, item, &best, &right, &tried);
	}
	if (right == 1) {
		hpkm_proof_accept(&best);
		return;
	}
	/* The new one says whether it changed. */
	func = func->pair;
	other = tried && !right ? hpkm_names_override(patch, item) : NULL;
	if (!tried) {
		absent(patch, item, func);
	} else if (other) {
		hpkm_caution(&patch->verdicts, func->name,
			     "%s has that of %s in its place: nothing to replace",
			     target, other);
		leave_out(item, func);
	} else if (right) {
		hpkm_refuse_func(&patch->verdicts, func, NULL,
				 "%s has %zu functions of that name with the same code, and nothing tells which one it is",
				 target, right);
	} else {
		hpkm_refuse_func(&patch->verdicts, func, best.details,
				 "the old object file is not what %s was built from: %s",
				 target, best.why);
	}
}

static void verify_pair(struct hpkm_patch *patch, struct hpkm_pair *pair)
{
	struct hpkm_object *new = &pair->new, *old = &pair->old;

	for (size_t k = 0; k < new->item_count; k++) {
		struct hpkm_item *n = new->items[k];

		if (n->kind == HPKM_ITEM_FUNC && n->changed && n->pair)
			verify_item(patch, n->pair);
	}
	/* Parts that were moved out of what is replaced. */
	for (size_t k = 0; k < old->item_count; k++) {
		struct hpkm_item *o = old->items[k];

		if (o->kind == HPKM_ITEM_COLD && o->parent->pair &&
		    o->parent->pair->changed && o->parent->live_size)
			verify_item(patch, o);
	}
}

int hpkm_verify_funcs(struct hpkm_patch *patch)
{
	for (size_t i = 0; i < patch->pair_count; i++)
		verify_pair(patch, &patch->pairs[i]);
	return 0;
}
