// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 2 and 3: hooks.
 *
 * include/hpkm/patch.h leaves pointers to them in sections of the new objects.
 * An anchor for which there are any gets a word of state, control words that
 * fork does not inherit, tables of its hooks, the code that runs them, and a
 * gate before each new function.  No new code can be entered but through the
 * update table, so none runs before the apply hooks have.
 */
#include <hpkm/hook.h>
#include <stdlib.h>
#include <string.h>

#include "hook.h"
#include "hpkm.h"

#define CONTROL_SIZE	(HPKM_HOOK_WANT + 8)
#define HOOKS_MAX	64

static const struct hpkm_elf_section *
find_section(const struct hpkm_object *o, const char *name, uint32_t *from)
{
	for (; *from < o->elf.section_count; ++*from)
		if (!strcmp(o->elf.sections[*from].name, name))
			return &o->elf.sections[(*from)++];
	return NULL;
}

/* ---- HPKM_REPLACE() ---- */

/* Calls @visit for each name; those of a section stand one after the other. */
static bool each_name(const struct hpkm_object *o,
		      bool (*visit)(const char *name, void *data), void *data)
{
	const struct hpkm_elf_section *s;
	uint32_t from = 1;

	while ((s = find_section(o, HPKM_HOOK_REPLACE_SECTION, &from))) {
		uint64_t at = 0;

		/* The last byte ends a string. */
		if (!s->data || !s->size || s->data[s->size - 1])
			continue;
		while (at < s->size) {
			const char *name = (const char *)s->data + at;

			if (*name && visit(name, data))
				return true;
			at += strlen(name) + 1;
		}
	}
	return false;
}

static bool is_name(const char *name, void *data)
{
	return !strcmp(name, data);
}

bool hpkm_hook_replaces(const struct hpkm_object *new, const char *name)
{
	return each_name(new, is_name, (void *)name);
}

struct search {
	struct hpkm_patch *patch;
	const struct hpkm_object *object;
};

static bool refuse_unknown(const char *name, void *data)
{
	const struct search *search = data;
	const struct hpkm_name *found;
	size_t count;

	found = hpkm_object_find(search->object, name, &count);
	for (size_t i = 0; i < count; i++)
		if (found[i].item->kind == HPKM_ITEM_FUNC &&
		    found[i].item->pair)
			return false;
	hpkm_refuse(&search->patch->verdicts, name,
		    "HPKM_REPLACE() names it, but %s does not have such a function before and after the fix (was it inlined?)",
		    search->object->elf.path);
	return false;
}

/* ---- HPKM_APPLY_HOOK(), HPKM_REVERT_HOOK() ---- */

#define RECORD_SIZE	16	/* struct hpkm__record */

static int add_record(struct hpkm_patch *patch, struct hpkm_hook_list *list,
		      size_t pair, uint32_t section, size_t reloc)
{
	struct hpkm_object *o = &patch->pairs[pair].new;
	const struct hpkm_elf_section *s = &o->elf.sections[section];
	const struct hpkm_elf_reloc *r = &s->relocs[reloc];
	struct hpkm_ref ref;

	if (hpkm_object_ref(o, section, reloc, &ref))
		return -1;
	if (o->arch->rel(r->type) != HPKM_REL_ABS64 || !s->data ||
	    r->offset % RECORD_SIZE ||
	    !hpkm_inside(r->offset, RECORD_SIZE, s->size) ||
	    (ref.kind != HPKM_REF_UNDEF &&
	     (ref.kind != HPKM_REF_ITEM || ref.offset ||
	      ref.item->kind != HPKM_ITEM_FUNC))) {
		hpkm_refuse(&patch->verdicts, o->file ? o->file : o->elf.path,
			    "section %s has something else than pointers to functions",
			    s->name);
		return 0;
	}
	if (list->count == HOOKS_MAX) {
		hpkm_refuse(&patch->verdicts, "", "more than %u hooks",
			    HOOKS_MAX);
		return 0;
	}
	list->records = hpkm_arena_push(patch->arena, list->records,
					list->count, sizeof(*list->records));
	list->records[list->count++] = (struct hpkm_hook_record){
		.object = o, .section = section, .reloc = reloc,
		.pair = pair, .line = hpkm_get64(s->data + r->offset + 8),
	};
	return 0;
}

static int find_hooks(struct hpkm_patch *patch, struct hpkm_hook_list *list,
		      size_t pair, const char *name)
{
	const struct hpkm_object *o = &patch->pairs[pair].new;
	const struct hpkm_elf_section *s;
	uint32_t from = 1;

	while ((s = find_section(o, name, &from)))
		for (size_t i = 0; i < s->reloc_count; i++)
			if (add_record(patch, list, pair, from - 1, i))
				return -1;
	return 0;
}

static int by_line(const void *x, const void *y)
{
	const struct hpkm_hook_record *a = x, *b = y;

	if (a->pair != b->pair)
		return a->pair < b->pair ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->reloc < b->reloc ? -1 : a->reloc > b->reloc;
}

/* What was done last is undone first. */
static int by_line_down(const void *x, const void *y)
{
	return by_line(y, x);
}

static void sort(struct hpkm_hook_list *list,
		 int (*order)(const void *x, const void *y))
{
	if (list->count)
		qsort(list->records, list->count, sizeof(*list->records),
		      order);
}

/*
 * Threads are told apart by their thread pointers, which a program without
 * any C library may not have set up.
 */
static bool has_thread_pointer(const struct hpkm_anchor *a)
{
	if (a->library || a->tls_size)
		return true;
	for (size_t i = 0; i < a->elf.segment_count; i++)
		if (a->elf.segments[i].p_type == PT_INTERP)
			return true;
	return false;
}

static bool has_fresh(const struct hpkm_object *o)
{
	uint32_t from = 1;

	return find_section(o, HPKM_HOOK_FRESH_SECTION, &from);
}

/* Hooks run when a function that is replaced is called. */
static void check_used(struct hpkm_patch *patch, const struct hpkm_anchor *a)
{
	const struct hpkm_hooks *hooks = &patch->hooks[a - patch->anchors];

	if (!hooks->apply.count && !hooks->revert.count)
		return;
	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *o = &patch->pairs[i].new;

		for (size_t k = 0; o->anchor == a && k < o->item_count; k++)
			if (o->items[k]->kind == HPKM_ITEM_FUNC &&
			    o->items[k]->changed && o->items[k]->pair)
				return;
	}
	hpkm_refuse(&patch->verdicts, a->name,
		    "there is a hook for it, but none of its functions is replaced, so nothing would run it: name one with HPKM_REPLACE()");
}

int hpkm_hook_find(struct hpkm_patch *patch)
{
	patch->hooks = hpkm_arena_alloc(patch->arena, patch->anchor_count,
					sizeof(*patch->hooks));
	for (size_t i = 0; i < patch->pair_count; i++) {
		struct hpkm_object *o = &patch->pairs[i].new;
		struct hpkm_hooks *hooks =
			&patch->hooks[o->anchor - patch->anchors];
		struct search search = { patch, o };

		each_name(o, refuse_unknown, &search);
		if (find_hooks(patch, &hooks->apply, i,
			       HPKM_HOOK_APPLY_SECTION) ||
		    find_hooks(patch, &hooks->revert, i,
			       HPKM_HOOK_REVERT_SECTION))
			return -1;
		if ((hooks->apply.count || hooks->revert.count ||
		     has_fresh(o)) && !has_thread_pointer(o->anchor))
			hpkm_refuse(&patch->verdicts, o->anchor->name,
				    "hooks and shadow variables need a thread pointer, and this static program has no thread-local storage");
	}
	for (size_t i = 0; i < patch->anchor_count; i++) {
		sort(&patch->hooks[i].apply, by_line);
		sort(&patch->hooks[i].revert, by_line_down);
		check_used(patch, &patch->anchors[i]);
	}
	return 0;
}

/* ---- pieces ---- */

static void add_refs(struct hpkm_link *link, struct hpkm_link_piece *piece,
		     const struct hpkm_blob *blob,
		     struct hpkm_link_piece *const *to)
{
	for (size_t i = 0; i < blob->ref_count; i++) {
		const struct hpkm_blob_ref *ref = &blob->refs[i];
		struct hpkm_link_reloc *r = hpkm_link_add_reloc(link, piece);

		r->offset = ref->place;
		r->type = link->arch->type_pc32;
		r->to = to[ref->to];
		r->name = r->to->name;
		r->addend = ref->addend + (int64_t)r->to->item_offset;
	}
}

static struct hpkm_link_piece *add_list(struct hpkm_link *link,
					struct hpkm_link_span *span,
					struct hpkm_hook_list *list,
					const char *name)
{
	list->table = hpkm_link_add(link, span, name, HPKM_LINK_RODATA, 8,
				    NULL, 8 * (list->count + 1));
	return list->table;
}

void hpkm_hook_add(struct hpkm_hooks *hooks, struct hpkm_link *link,
		   struct hpkm_link_span *span)
{
	const struct hpkm_blob *blob = link->arch->hook_enter;
	struct hpkm_link_piece *to[HPKM_BLOB_COUNT] = { NULL };

	if (!hooks->apply.count && !hooks->revert.count)
		return;
	hooks->state = hpkm_link_add(link, span, "hpkm_hook_state",
				     HPKM_LINK_BSS, 8, NULL, 8);
	hooks->control = hpkm_link_add(link, span, "hpkm_hook_control",
				       HPKM_LINK_FRESH, 16, NULL,
				       CONTROL_SIZE);
	hooks->enter = hpkm_link_add(link, span, "hpkm_hook_enter",
				     HPKM_LINK_TEXT, 16, blob->bytes,
				     blob->size);
	to[HPKM_BLOB_STATE] = hooks->state;
	to[HPKM_BLOB_CONTROL] = hooks->control;
	to[HPKM_BLOB_APPLY] = add_list(link, span, &hooks->apply,
				       "hpkm_hook_apply");
	to[HPKM_BLOB_REVERT] = add_list(link, span, &hooks->revert,
					"hpkm_hook_revert");
	add_refs(link, hooks->enter, blob, to);
}

struct hpkm_link_piece *hpkm_hook_gate(struct hpkm_hooks *hooks,
				       struct hpkm_link *link,
				       struct hpkm_link_span *span,
				       const char *func)
{
	const struct hpkm_blob *blob = link->arch->gate;

	return hpkm_link_add(link, span, hpkm_arena_printf(link->arena,
							   "%s@gate", func),
			     HPKM_LINK_TEXT, 16, blob->bytes, blob->size);
}

void hpkm_hook_lead(struct hpkm_hooks *hooks, struct hpkm_link *link,
		    const struct hpkm_patch_func *func)
{
	struct hpkm_link_piece *to[HPKM_BLOB_COUNT] = {
		[HPKM_BLOB_STATE] = hooks->state,
		[HPKM_BLOB_ENTER] = hooks->enter,
		[HPKM_BLOB_FUNC] = func->new->piece,
	};

	add_refs(link, func->gate, link->arch->gate, to);
}
