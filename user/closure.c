// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: what the changed functions take along.
 *
 * From those functions and their hooks every reference is followed; what it
 * leads to (place.c) may be a piece (piece.c), whose references are followed
 * in turn.
 */
#include "closure.h"
#include "hook.h"
#include "hpkm.h"
#include "reference.h"

struct hpkm_entry {
	struct hpkm_taken work;
	size_t reloc;
	const struct hpkm_item *item;
};

/*
 * A section without symbols is taken along as a whole.  It may hold jump
 * tables of other functions, too: those entries stay as they are unless their
 * function is taken along.
 */
static bool put_off(struct hpkm_closure *c, const struct hpkm_taken *w,
		    size_t reloc)
{
	struct hpkm_ref ref;

	if (!w->nameless || hpkm_object_ref(w->object, w->section, reloc,
					    &ref) ||
	    ref.kind != HPKM_REF_ITEM || ref.item->kind != HPKM_ITEM_FUNC ||
	    ref.item->piece || !ref.item->pair || !ref.offset)
		return false;
	c->entries = hpkm_arena_push(c->patch->arena, c->entries,
				     c->entry_count, sizeof(*c->entries));
	c->entries[c->entry_count++] = (struct hpkm_entry){
		*w, reloc, ref.item,
	};
	return true;
}

static int follow(struct hpkm_closure *c, const struct hpkm_taken *w)
{
	size_t first, count;

	hpkm_object_relocs(w->object, w->section, w->start, w->end, &first,
			   &count);
	for (size_t i = first; i < first + count; i++) {
		c->skip_next = false;
		if (!put_off(c, w, i) && hpkm_reference(c, w, i))
			return -1;
		i += c->skip_next;
	}
	return 0;
}

static int follow_entries(struct hpkm_closure *c)
{
	for (size_t i = 0; i < c->entry_count; i++) {
		struct hpkm_entry e = c->entries[i];

		if (e.item->piece && hpkm_reference(c, &e.work, e.reloc))
			return -1;
	}
	return 0;
}

/*
 * A slice of a section that holds several functions must not reach out of
 * itself without a relocation.
 */
static void check_slice(struct hpkm_closure *c, const struct hpkm_taken *w)
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
static void add_func(struct hpkm_closure *c, struct hpkm_patch_func *f,
		     struct hpkm_hooks *hooks)
{
	if (hooks->state)
		f->gate = hpkm_hook_gate(hooks, c->link, c->span, f->name);
	hpkm_piece_item(c, f->new);
	if (f->gate)
		hpkm_hook_lead(hooks, c->link, f);
}

/* The addresses of hooks are followed as those in their sections would be. */
static int add_hooks(struct hpkm_closure *c, const struct hpkm_hook_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct hpkm_hook_record *from = &list->records[i];
		struct hpkm_object *o = from->object;
		const struct hpkm_elf_reloc *r =
			&o->elf.sections[from->section].relocs[from->reloc];
		struct hpkm_taken w = {
			.piece = list->table,
			.object = o,
			.section = from->section,
			/* Below 0 is fine: only the difference counts. */
			.start = r->offset - 8 * i,
			.end = r->offset + 8,
			.name = o->elf.sections[from->section].name,
		};

		if (hpkm_reference(c, &w, from->reloc))
			return -1;
	}
	return 0;
}

static int close_anchor(struct hpkm_closure *c)
{
	while (c->work_done < c->work_count) {
		/* The list may move while it grows. */
		struct hpkm_taken w = c->work[c->work_done++];

		check_slice(c, &w);
		if (follow(c, &w))
			return -1;
	}
	return 0;
}

/* What an anchor's new code starts from: its functions and hooks. */
static int start_anchor(struct hpkm_closure *c)
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
			  struct hpkm_closure *all)
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
	struct hpkm_closure *all;
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
