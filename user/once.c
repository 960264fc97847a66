// SPDX-License-Identifier: GPL-2.0
/*
 * After stage 2: functions that a running process will not enter again.
 *
 * main() is on the main thread's stack for as long as the process lives: a
 * patch that replaced it could never be applied, and it would not be called
 * again anyway.  It stays as it is.  Its compiler knew the functions of its
 * file, though: which registers they leave alone, which variables they write,
 * whoever of them calls them.  The old main() would call the new one on what was
 * true of the old one, so that is refused.
 *
 * A constructor has run.  It may be an ordinary function, too, so replacing it
 * does no harm; but it may not be all there is.
 */
#include <string.h>

#include "hpkm.h"
#include "once.h"

static bool is_replaced(const struct hpkm_item *n)
{
	return n->kind == HPKM_ITEM_FUNC && n->changed && n->pair;
}

static bool is_main(const struct hpkm_item *n)
{
	const struct hpkm_anchor *a = n->object->anchor;

	return a && !a->library && n->global && !strcmp(n->name, "main");
}

static bool is_constructor_list(const char *name)
{
	return !strncmp(name, ".init_array", 11) ||
		!strncmp(name, ".preinit_array", 14) ||
		!strncmp(name, ".ctors", 6);
}

static bool is_destructor_list(const char *name)
{
	return !strncmp(name, ".fini_array", 11) || !strncmp(name, ".dtors", 6);
}

static bool is_listed(const struct hpkm_item *item,
		      bool (*is_list)(const char *name))
{
	struct hpkm_object *o = item->object;
	struct hpkm_ref ref;

	for (uint32_t s = 1; s < o->elf.section_count; s++) {
		if (!is_list(o->elf.sections[s].name))
			continue;
		for (size_t i = 0; i < o->elf.sections[s].reloc_count; i++)
			if (!hpkm_object_ref(o, s, i, &ref) &&
			    ref.kind == HPKM_REF_ITEM && ref.item == item)
				return true;
	}
	return false;
}

static bool is_constructor(const struct hpkm_item *item)
{
	return is_listed(item, is_constructor_list);
}

static bool is_destructor(const struct hpkm_item *item)
{
	return is_listed(item, is_destructor_list);
}

static void warn_new_constructors(struct hpkm_patch *patch,
				  struct hpkm_object *new)
{
	for (size_t i = 0; i < new->item_count; i++) {
		struct hpkm_item *n = new->items[i];

		if (n->kind == HPKM_ITEM_FUNC && is_constructor(n) &&
		    (!n->pair || !is_constructor(n->pair)))
			hpkm_caution(&patch->verdicts, n->name,
				     "a new constructor: in processes that run it will not be run");
		if (n->kind == HPKM_ITEM_FUNC && is_destructor(n) &&
		    (!n->pair || !is_destructor(n->pair)))
			hpkm_caution(&patch->verdicts, n->name,
				     "a new destructor: processes that run now will not run it when they end");
	}
}

/* ---- main ---- */

struct known {
	struct hpkm_object *object;	/* old */
	bool *seen;			/* by number of the item */
	const struct hpkm_item *found;	/* a changed one, new */
};

static void see_function(struct known *k, struct hpkm_item *item);

/* Without a relocation: in the same section. */
static struct hpkm_item *item_at(struct hpkm_object *o, uint32_t section,
				 uint64_t offset)
{
	for (size_t i = 0; i < o->item_count; i++) {
		struct hpkm_item *item = o->items[i];

		if (item->section == section && hpkm_item_is_code(item) &&
		    offset >= item->offset &&
		    offset < item->offset + item->size)
			return item;
	}
	return NULL;
}

/* Whom a call or jump leads to, if that is in the same object. */
static struct hpkm_item *callee(const struct hpkm_item *item,
				const struct hpkm_insn *in)
{
	struct hpkm_object *o = item->object;
	size_t first, count;
	struct hpkm_ref ref;

	hpkm_object_relocs(o, item->section, in->offset,
			   (uint64_t)in->offset + in->size, &first, &count);
	if (!count)
		return item_at(o, item->section, in->target);
	if (hpkm_object_ref(o, item->section, first, &ref) ||
	    ref.kind != HPKM_REF_ITEM)
		return NULL;
	return ref.item;
}

static void see_calls(struct known *k, const struct hpkm_item *item)
{
	const struct hpkm_code *code;

	code = hpkm_object_code(k->object, item->section);
	for (size_t i = 0; i < code->count && !k->found; i++) {
		const struct hpkm_insn *in = &code->insns[i];
		struct hpkm_item *to;

		if (in->offset < item->offset ||
		    in->offset >= item->offset + item->size ||
		    !(in->flags & HPKM_INSN_DIRECT))
			continue;
		to = callee(item, in);
		if (to && to->kind == HPKM_ITEM_COLD && to->parent)
			to = to->parent;
		if (to && to->kind == HPKM_ITEM_FUNC)
			see_function(k, to);
	}
}

/* Of functions that have not changed, what they call counts: it is theirs. */
static void see_function(struct known *k, struct hpkm_item *item)
{
	struct hpkm_object *o = k->object;
	size_t i = 0;

	while (i < o->item_count && o->items[i] != item)
		i++;
	if (i == o->item_count || k->seen[i])
		return;
	k->seen[i] = true;
	if (item->pair && item->pair->changed && !item->pair->asked &&
	    !is_main(item->pair)) {
		k->found = item->pair;
		return;
	}
	see_calls(k, item);
	for (i = 0; i < o->item_count && !k->found; i++)
		if (o->items[i]->kind == HPKM_ITEM_COLD &&
		    o->items[i]->parent == item)
			see_calls(k, o->items[i]);
}

/*
 * A changed function that the old main() was compiled with knowledge of: it
 * calls it, or somebody who calls it, in the same file.  In an executable that
 * is so of global functions, too, for nothing can take their place.
 */
static const struct hpkm_item *known_callee(struct hpkm_arena *arena,
					    struct hpkm_item *main)
{
	struct known k = { .object = main->object };

	k.seen = hpkm_arena_alloc(arena, main->object->item_count,
				  sizeof(*k.seen));
	see_function(&k, main);
	return k.found;
}

static void leave_main(struct hpkm_patch *patch, struct hpkm_item *n)
{
	const struct hpkm_item *callee = n->asked ? NULL :
		known_callee(patch->arena, n->pair);

	if (callee) {
		hpkm_refuse(&patch->verdicts, n->name,
			    "it changes, too, but is entered only once; the old one would call the new %s as it was compiled to call the old one",
			    callee->name);
		return;
	}
	hpkm_caution(&patch->verdicts, n->name,
		     "left as it is: it is entered once, when a process starts%s",
		     n->asked ? "" : ", and what changed in it will not run");
	n->changed = false;
}

/* ---- loops without an end ---- */

static bool leaves(struct hpkm_item *item, bool *loops);

/* Without a relocation: inside; with one: the moved part, or elsewhere. */
static bool jump_leaves(struct hpkm_item *item, const struct hpkm_insn *in,
			bool *loops)
{
	size_t first, count;
	struct hpkm_ref ref;

	hpkm_object_relocs(item->object, item->section, in->offset,
			   (uint64_t)in->offset + in->size, &first, &count);
	if (!count) {
		*loops |= in->target <= in->offset;
		return in->target < item->offset ||
			in->target >= item->offset + item->size;
	}
	if (hpkm_object_ref(item->object, item->section, first, &ref) ||
	    ref.kind != HPKM_REF_ITEM)
		return true;
	if (ref.item->kind == HPKM_ITEM_COLD && ref.item->parent == item)
		return leaves(ref.item, loops);
	return ref.item != item && item->parent != ref.item;
}

static bool leaves(struct hpkm_item *item, bool *loops)
{
	const struct hpkm_arch *arch = item->object->arch;
	const struct hpkm_code *code;
	const uint8_t *bytes;

	if (!hpkm_item_bytes(item))
		return true;
	bytes = hpkm_item_section(item)->data;
	code = hpkm_object_code(item->object, item->section);
	if (code->broken)
		return true;
	for (size_t i = 0; i < code->count; i++) {
		const struct hpkm_insn *in = &code->insns[i];

		if (in->offset < item->offset ||
		    in->offset >= item->offset + item->size)
			continue;
		if (arch->leaves(bytes + in->offset, in) ||
		    (in->flags & HPKM_INSN_JUMP &&
		     jump_leaves(item, in, loops)))
			return true;
	}
	return false;
}

static void check_loop(struct hpkm_patch *patch, struct hpkm_item *n)
{
	bool loops = false;

	if (!leaves(n->pair, &loops) && loops)
		hpkm_caution(&patch->verdicts, n->name,
			     "it never returns: as long as a thread is inside of it the patch is not applied");
}

void hpkm_once_check(struct hpkm_patch *patch)
{
	const struct hpkm_item *last = NULL;
	size_t effective = 0;

	for (size_t i = 0; i < patch->pair_count; i++) {
		struct hpkm_object *new = &patch->pairs[i].new;

		warn_new_constructors(patch, new);
		for (size_t k = 0; k < new->item_count; k++) {
			struct hpkm_item *n = new->items[k];

			if (!is_replaced(n))
				continue;
			last = n;
			if (is_main(n)) {
				leave_main(patch, n);
			} else if (!n->asked && is_constructor(n->pair)) {
				hpkm_caution(&patch->verdicts, n->name,
					     "it is a constructor: in processes that run it has run already");
			} else {
				if (!n->asked)
					check_loop(patch, n);
				effective++;
			}
		}
	}
	if (last && !effective && !patch->verdicts.refusals)
		hpkm_refuse(&patch->verdicts, last->name,
			    "nothing changes but what runs only when a process starts: restart it instead");
}
