// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: the window of each function that is replaced, and
 * whether nothing can ever enter it but at its first byte.
 */
#include <stdlib.h>
#include <string.h>

#include "hpkm.h"
#include "window.h"

static bool in_window(uint64_t target, uint64_t start, uint64_t end)
{
	return target > start && target < end;
}

/*
 * Where a jump table starts that has an entry at @place: entries of position
 * independent code count from there.
 */
static uint64_t table_start(struct hpkm_object *o, uint32_t section,
			    uint64_t place)
{
	uint64_t start = 0, content, next;

	for (;;) {
		next = hpkm_object_extent(o, section, start, &content);
		if (next <= start || next > place)
			return start;
		start = next;
	}
}

/*
 * Where a relocation of the old object leads in @item, from its first byte on;
 * -1: elsewhere.
 */
static int64_t reloc_leads(struct hpkm_object *o, uint32_t section, size_t i,
			   const struct hpkm_item *item)
{
	const struct hpkm_elf_section *s = &o->elf.sections[section];
	const struct hpkm_elf_reloc *r = &s->relocs[i];
	struct hpkm_ref ref;

	if (hpkm_object_ref(o, section, i, &ref) ||
	    ref.kind != HPKM_REF_ITEM || ref.item != item)
		return -1;
	if (!(s->flags & SHF_EXECINSTR) && !o->of_section[section] &&
	    hpkm_rel_pcrel(o->arch->rel(r->type)))
		ref.offset -= r->offset - table_start(o, section, r->offset);
	return ref.offset;
}

/* Does code of @item refer to something in a section? */
static bool refers_to(const struct hpkm_item *item, uint32_t section)
{
	struct hpkm_object *o = item->object;
	struct hpkm_ref ref;
	size_t first, count;

	hpkm_object_relocs(o, item->section, item->offset,
			   item->offset + item->size, &first, &count);
	for (size_t i = first; i < first + count; i++) {
		if (hpkm_object_ref(o, item->section, i, &ref))
			continue;
		if (ref.kind == HPKM_REF_ITEM ? ref.item->section == section :
		    (ref.kind == HPKM_REF_SECTION ||
		     ref.kind == HPKM_REF_CONSTANT) && ref.section == section)
			return true;
	}
	return false;
}

/*
 * Is the first byte of @item, to which something in @section at @place leads,
 * gone to from within?  So do its moved parts, and tables that it jumps by, or
 * they may: a table of functions that it uses looks the same.
 */
static bool leads_back(const struct hpkm_item *item, uint32_t section,
		       uint64_t place)
{
	struct hpkm_object *o = item->object;
	const struct hpkm_elf_section *s = &o->elf.sections[section];
	const struct hpkm_item *at;

	if (!(s->flags & SHF_ALLOC))
		return false;
	if (s->flags & SHF_EXECINSTR) {
		for (at = o->of_section[section]; at; at = at->next)
			if (at->parent == item && place >= at->offset &&
			    place - at->offset < at->size)
				return true;
		return false;
	}
	if (refers_to(item, section))
		return true;
	for (size_t i = 0; i < o->item_count; i++)
		if (o->items[i]->parent == item &&
		    refers_to(o->items[i], section))
			return true;
	return false;
}

/* Its own instructions are looked at in the anchor. */
static bool is_own(const struct hpkm_item *item, uint32_t section,
		   const struct hpkm_elf_reloc *r)
{
	return section == item->section && r->offset >= item->offset &&
		r->offset - item->offset < item->size;
}

/* In a section that it shares with others, none of them needs a relocation. */
static bool neighbours_enter(const struct hpkm_item *item, unsigned int window)
{
	struct hpkm_object *o = item->object;
	const struct hpkm_code *code = hpkm_object_code(o, item->section);
	uint64_t start = item->offset;

	for (size_t i = 0; !item->alone && i < code->count; i++) {
		const struct hpkm_insn *in = &code->insns[i];

		if ((in->offset < start || in->offset - start >= item->size) &&
		    in->flags & (HPKM_INSN_DIRECT | HPKM_INSN_PCREL) &&
		    in_window(in->target, start, start + window))
			return true;
	}
	return false;
}

/*
 * Jump tables of the old function, its moved parts, and any other code.  Sets
 * @loops when one of those that are its own leads to its first byte.
 */
static bool others_enter(const struct hpkm_item *item, unsigned int window,
			 bool *loops)
{
	struct hpkm_object *o = item->object;

	for (uint32_t s = 1; s < o->elf.section_count; s++) {
		const struct hpkm_elf_section *from = &o->elf.sections[s];

		for (size_t i = 0; i < from->reloc_count; i++) {
			int64_t to;

			if (is_own(item, s, &from->relocs[i]))
				continue;
			to = reloc_leads(o, s, i, item);
			if (to > 0 && to < window)
				return true;
			if (!to && !*loops)
				*loops = leads_back(item, s,
						    from->relocs[i].offset);
		}
	}
	return neighbours_enter(item, window);
}

/*
 * Instructions of the function itself, as the anchor has it.  Sets @loops when
 * one leads to its first byte: a jump, or the address of that as a label.  A call
 * may return into the window: who is to return there has that address on the
 * stack, where the module sees it, whatever the consistency.
 */
static const char *code_enters(struct hpkm_patch *patch,
			       const struct hpkm_item *item, uint64_t end,
			       bool *loops)
{
	const struct hpkm_anchor *a = item->object->anchor;
	struct hpkm_code code;
	const uint8_t *bytes;

	bytes = hpkm_anchor_bytes(a, item->live, item->live_size);
	a->arch->decode(patch->arena, bytes, item->live_size, item->live,
			&code);
	if (code.broken)
		return "its code cannot be decoded";
	for (size_t i = 0; i < code.count; i++) {
		const struct hpkm_insn *in = &code.insns[i];

		if (in->flags & (HPKM_INSN_DIRECT | HPKM_INSN_PCREL) &&
		    in_window(in->target, item->live, end))
			return "a branch in it leads into its first bytes, which the trampoline takes up";
		if (in->flags & (HPKM_INSN_DIRECT | HPKM_INSN_PCREL) &&
		    !(in->flags & HPKM_INSN_CALL) && in->target == item->live)
			*loops = true;
	}
	return NULL;
}

static const char *check_window(struct hpkm_patch *patch,
				struct hpkm_item *item, unsigned int *window,
				bool *loops)
{
	const struct hpkm_anchor *a = item->object->anchor;
	const struct hpkm_anchor_symbol *next;
	const uint8_t *bytes;
	unsigned int kept;
	uint64_t end;

	bytes = hpkm_anchor_bytes(a, item->live, item->live_size);
	if (!bytes || !item->live_size)
		return "its code is not in the file";
	for (size_t i = 0; i < a->slot_count; i++)
		if (a->slots[i].addr + 8 > item->live &&
		    a->slots[i].addr < item->live + item->live_size)
			return "the dynamic linker writes into its code";
	*window = a->arch->window(bytes, item->live_size, &kept);
	end = item->live + *window;
	next = hpkm_anchor_code_after(a, item->live);
	if (next && next->addr < end)
		return "it is shorter than the trampoline, and something else follows at once";
	if (item->live_size < *window) {
		/* A no-operation has up to 15 bytes. */
		uint64_t size = *window + 15;

		while (size > *window &&
		       !hpkm_anchor_bytes(a, item->live, size))
			size--;
		bytes = hpkm_anchor_bytes(a, item->live, size);
		if (!bytes || !a->arch->padding(bytes + item->live_size,
						*window - item->live_size,
						size - item->live_size))
			return "it is shorter than the trampoline, and no padding follows";
	}
	if (others_enter(item, *window, loops))
		return "a jump table or other code leads into its first bytes, which the trampoline takes up";
	return code_enters(patch, item, end, loops);
}

/* Anchors lie in one array, so their addresses tell their order. */
static int compare_places(const struct hpkm_item *a, const struct hpkm_item *b)
{
	const struct hpkm_anchor *of_a = a->object->anchor;
	const struct hpkm_anchor *of_b = b->object->anchor;

	if (of_a != of_b)
		return of_a < of_b ? -1 : 1;
	return a->live < b->live ? -1 : a->live > b->live;
}

static int compare_funcs(const void *x, const void *y)
{
	const struct hpkm_patch_func *a = x, *b = y;

	return compare_places(a->old, b->old);
}

/* A name that others have too says which file it is from. */
static const char *func_name(struct hpkm_patch *patch,
			     const struct hpkm_item *item)
{
	size_t count;

	hpkm_anchor_find(item->object->anchor, item->name, &count);
	if (count <= 1 || !item->object->file)
		return item->name;
	return hpkm_arena_printf(patch->arena, "%s@%s", item->name,
				 item->object->file);
}

static void check_func(struct hpkm_patch *patch, struct hpkm_item *n)
{
	struct hpkm_patch_func *f;
	unsigned int window = 0;
	bool loops = false;
	const char *why;

	why = check_window(patch, n->pair, &window, &loops);
	if (why) {
		hpkm_refuse_func(&patch->verdicts, n, NULL, "%s", why);
		return;
	}
	patch->funcs = hpkm_arena_push(patch->arena, patch->funcs,
				       patch->func_count, sizeof(*f));
	f = &patch->funcs[patch->func_count++];
	*f = (struct hpkm_patch_func){
		.old = n->pair,
		.new = n,
		.name = func_name(patch, n->pair),
		.window_size = window,
		.loops = loops,
	};
}

static void check_apart(struct hpkm_patch *patch)
{
	for (size_t i = 1; i < patch->func_count; i++) {
		const struct hpkm_patch_func *f = &patch->funcs[i - 1];
		uint64_t reach = f->old->live_size;

		if (reach < f->window_size)
			reach = f->window_size;
		if (f->old->object->anchor == f[1].old->object->anchor &&
		    f->old->live + reach > f[1].old->live)
			hpkm_refuse(&patch->verdicts, f[1].name,
				    "it overlaps %s in the target", f->name);
	}
}

static int compare_parts(const void *x, const void *y)
{
	const struct hpkm_patch_part *a = x, *b = y;

	return compare_places(a->old, b->old);
}

/* The moved parts of what is replaced: threads may stand in them, too. */
static void gather_parts(struct hpkm_patch *patch, struct hpkm_object *old)
{
	for (size_t i = 0; i < old->item_count; i++) {
		struct hpkm_item *o = old->items[i];
		struct hpkm_patch_func key = { .old = o->parent }, *f;

		if (o->kind != HPKM_ITEM_COLD || !o->live_size)
			continue;
		f = bsearch(&key, patch->funcs, patch->func_count,
			    sizeof(*f), compare_funcs);
		if (!f || f->old != o->parent)
			continue;
		patch->parts = hpkm_arena_push(patch->arena, patch->parts,
					       patch->part_count,
					       sizeof(*patch->parts));
		patch->parts[patch->part_count++] = (struct hpkm_patch_part){
			.func = f - patch->funcs,
			.old = o,
		};
	}
}

void hpkm_window_check(struct hpkm_patch *patch)
{
	for (size_t i = 0; i < patch->pair_count; i++) {
		struct hpkm_object *new = &patch->pairs[i].new;

		for (size_t k = 0; k < new->item_count; k++) {
			struct hpkm_item *n = new->items[k];

			if (n->kind == HPKM_ITEM_FUNC && n->changed &&
			    n->pair && n->pair->live_size)
				check_func(patch, n);
		}
	}
	if (patch->func_count)
		qsort(patch->funcs, patch->func_count, sizeof(*patch->funcs),
		      compare_funcs);
	check_apart(patch);
	if (!patch->func_count && !patch->verdicts.refusals)
		hpkm_refuse(&patch->verdicts, "",
			    "no function of the target is left to be replaced");
	for (size_t i = 0; patch->func_count && i < patch->pair_count; i++)
		gather_parts(patch, &patch->pairs[i].old);
	if (patch->part_count)
		qsort(patch->parts, patch->part_count, sizeof(*patch->parts),
		      compare_parts);
}
