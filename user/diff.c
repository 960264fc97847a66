// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 2, diff: which items changed, which change with them, and what of
 * that no patch can do.
 */
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "debuginfo.h"
#include "diff.h"
#include "hook.h"
#include "hpkm.h"
#include "lines.h"
#include "names.h"
#include "pair.h"

/* Those with global names that changed, of all objects. */
struct constants {
	struct hpkm_item **list;
	size_t count;
};

struct diff {
	struct hpkm_object *old, *new;
	const struct constants *constants;
	struct hpkm_verdicts *verdicts;
	bool damaged;
};

static bool is_variable(const struct hpkm_item *item)
{
	return !hpkm_item_is_code(item);
}

static void mark(struct hpkm_item *n, const char *because)
{
	if (n->changed)
		return;
	n->changed = true;
	n->because = because;
}

static void compare_items(struct diff *d)
{
	for (size_t i = 0; i < d->new->item_count; i++) {
		struct hpkm_item *n = d->new->items[i], *o = n->pair;

		if (!o || hpkm_same_item(o, n, &d->damaged))
			continue;
		switch (n->kind) {
		case HPKM_ITEM_DATA:
		case HPKM_ITEM_TLS:
			if (o->size != n->size)
				hpkm_refuse(d->verdicts, n->name,
					    "the size of a live variable changes from %llu to %llu bytes",
					    (unsigned long long)o->size,
					    (unsigned long long)n->size);
			else
				hpkm_refuse(d->verdicts, n->name,
					    "the initial value of a live variable changes; running processes keep the old one");
			break;
		case HPKM_ITEM_CONST:
			mark(n, "its content changed");
			break;
		default:
			n->lines_only = hpkm_lines_only(o, n, &d->damaged);
			if (!n->lines_only)
				mark(n, "its code changed");
			break;
		}
	}
}

/* Those that changed in nothing else, neither by themselves nor with others. */
static void report_lines(struct diff *d)
{
	const char *names = "";
	size_t count = 0;

	for (size_t i = 0; i < d->new->item_count; i++) {
		const struct hpkm_item *n = d->new->items[i];

		/* A moved part is one with its function. */
		if (!n->lines_only || n->changed ||
		    (n->kind == HPKM_ITEM_COLD &&
		     (n->parent->changed || n->parent->lines_only)))
			continue;
		names = hpkm_arena_printf(d->verdicts->arena, "%s%s%s", names,
					  count ? ", " : "", n->name);
		count++;
	}
	if (count)
		hpkm_caution_with(d->verdicts,
				  d->new->file ? d->new->file :
				  d->new->elf.path, names,
				  "only line numbers differ in %zu function%s, left as %s",
				  count, count == 1 ? "" : "s",
				  count == 1 ? "it is" : "they are");
}

/* A name that stands for something else now. */
static void compare_kinds(struct diff *d)
{
	for (size_t i = 0; i < d->new->item_count; i++) {
		struct hpkm_item *n = d->new->items[i];
		const struct hpkm_name *found;
		size_t count;

		if (n->pair || hpkm_item_numbered(n))
			continue;
		found = hpkm_object_find(d->old, n->name, &count);
		if (found && found->item->kind != n->kind &&
		    (is_variable(n) || is_variable(found->item)))
			hpkm_refuse(d->verdicts, n->name,
				    "it changes its kind (constant, writable or thread-local variable, function)");
	}
}

/* A changed constant that another object of the same target defines. */
static struct hpkm_item *constant_elsewhere(const struct diff *d,
					    const char *name)
{
	const struct hpkm_name *found;
	size_t count;

	for (size_t i = 0; i < d->constants->count; i++) {
		struct hpkm_item *n = d->constants->list[i];

		if (n->object->anchor != d->new->anchor)
			continue;
		found = hpkm_object_find(n->object, name, &count);
		for (size_t k = 0; k < count; k++)
			if (found[k].global && found[k].item == n)
				return n;
	}
	return NULL;
}

/*
 * Why an item whose own bytes are the same changes nevertheless: it refers to
 * a changed constant, or it holds the addresses of labels ("goto *ops[i]") of
 * a changed function, which may look the same and lead into the old one.
 */
static const char *changes_with(struct diff *d, struct hpkm_item *n,
				struct hpkm_item **which)
{
	size_t first, count;
	struct hpkm_ref ref;

	if (n->section == HPKM_SECTION_COMMON)
		return NULL;
	hpkm_object_relocs(d->new, n->section, n->offset, n->offset + n->size,
			   &first, &count);
	for (; count--; first++) {
		if (hpkm_object_ref(d->new, n->section, first, &ref)) {
			d->damaged = true;
			return NULL;
		}
		*which = ref.kind == HPKM_REF_ITEM ? ref.item :
			ref.kind == HPKM_REF_UNDEF ?
			constant_elsewhere(d, ref.symbol->name) : NULL;
		if (!*which || !(*which)->changed)
			continue;
		if ((*which)->kind == HPKM_ITEM_CONST)
			return "a constant that it uses changed";
		if (ref.kind == HPKM_REF_ITEM && is_variable(n) &&
		    (ref.offset || ref.item->kind == HPKM_ITEM_COLD))
			return "it leads into a function that changed";
	}
	return NULL;
}

static bool spread_to(struct diff *d, struct hpkm_item *n)
{
	struct hpkm_item *which = NULL;
	const char *why;

	if (n->kind == HPKM_ITEM_COLD && n->changed && !n->parent->changed) {
		mark(n->parent, "its cold part changed");
		return true;
	}
	if (n->changed || !n->pair)
		return false;
	why = changes_with(d, n, &which);
	if (!why)
		return false;
	if (n->kind == HPKM_ITEM_DATA || n->kind == HPKM_ITEM_TLS) {
		/* A part that was moved stands for its function. */
		if (which->kind == HPKM_ITEM_COLD)
			which = which->parent;
		hpkm_refuse_func(d->verdicts, which, NULL,
				 "%s is pointed to by the live variable %s",
				 is_variable(which) ?
				 "a constant that changes" :
				 "the inside of a function that changes",
				 n->name);
		return false;
	}
	mark(n, why);
	return true;
}

/*
 * Constants are taken along in their new form, so whatever refers to a changed
 * one changes too.  A part that was moved changes with its function.
 */
static void spread(struct diff *d)
{
	bool more = true;

	while (more && !d->damaged) {
		more = false;
		for (size_t i = 0; i < d->new->item_count; i++)
			more |= spread_to(d, d->new->items[i]);
	}
}

static void check_changed(struct diff *d)
{
	for (size_t i = 0; i < d->new->item_count; i++) {
		struct hpkm_item *n = d->new->items[i];

		if (!n->changed)
			continue;
		if (n->kind == HPKM_ITEM_FUNC && (n->ifunc || n->pair->ifunc))
			hpkm_refuse(d->verdicts, n->name,
				    "an IFUNC resolver changes; it has run already");
	}
}

/* Machine code is only made when the program is linked. */
static bool check_lto(const struct hpkm_object *o, struct hpkm_verdicts *v)
{
	if (o->lto)
		hpkm_refuse(v, o->elf.path,
			    "it is %s, not machine code: link-time optimization is not supported (compile without -flto)",
			    o->lto);
	return o->lto;
}

/* What is replaced whether it changed or not. */
static void ask_for(struct hpkm_object *new, bool all)
{
	for (size_t i = 0; i < new->item_count; i++) {
		struct hpkm_item *n = new->items[i];
		bool named;

		if (n->kind != HPKM_ITEM_FUNC || !n->pair || n->ifunc ||
		    n->changed)
			continue;
		named = hpkm_hook_replaces(new, n->name);
		if (!named && !all)
			continue;
		n->asked = !named;
		mark(n, named ? "HPKM_REPLACE() asks for it" :
		     "all were asked for");
	}
}

static void compare_pair(struct diff *d)
{
	compare_items(d);
	compare_kinds(d);
	if (!d->damaged)
		spread(d);
	hpkm_debuginfo_close(d->old);
	hpkm_debuginfo_close(d->new);
}

static void finish_pair(struct diff *d, bool all_functions)
{
	report_lines(d);
	hpkm_names_check(d->old, d->new, d->verdicts, &d->damaged);
	check_changed(d);
	ask_for(d->new, all_functions);
	if (!d->damaged)
		spread(d);
}

static void find_constants(struct hpkm_arena *arena, const struct diff *d,
			   struct constants *constants)
{
	for (size_t i = 0; i < d->new->item_count; i++) {
		struct hpkm_item *n = d->new->items[i];

		if (n->kind != HPKM_ITEM_CONST || !n->global || !n->changed)
			continue;
		constants->list = hpkm_arena_push(arena, constants->list,
						  constants->count,
						  sizeof(*constants->list));
		constants->list[constants->count++] = n;
	}
}

/* From object to object, by constants with global names. */
static void spread_all(struct hpkm_arena *arena, struct diff *diffs,
		       size_t count, struct constants *constants)
{
	size_t known;

	do {
		known = constants->count;
		constants->count = 0;
		constants->list = NULL;
		for (size_t i = 0; i < count; i++)
			find_constants(arena, &diffs[i], constants);
		if (constants->count == known)
			break;
		for (size_t i = 0; i < count; i++)
			spread(&diffs[i]);
	} while (true);
}

int hpkm_diff(struct hpkm_pair *pairs, size_t count, bool all_functions,
	      struct hpkm_verdicts *verdicts)
{
	struct diff *diffs = hpkm_arena_alloc(verdicts->arena, count,
					      sizeof(*diffs));
	struct constants constants = { 0 };
	size_t n = 0;

	if (hpkm_pair_items(pairs, count))
		return -1;
	for (size_t i = 0; i < count; i++) {
		bool lto = check_lto(&pairs[i].old, verdicts);

		if (check_lto(&pairs[i].new, verdicts) || lto)
			continue;
		diffs[n] = (struct diff){
			.old = &pairs[i].old,
			.new = &pairs[i].new,
			.constants = &constants,
			.verdicts = verdicts,
		};
		compare_pair(&diffs[n]);
		if (diffs[n++].damaged)
			return -1;
	}
	spread_all(verdicts->arena, diffs, n, &constants);
	for (size_t i = 0; i < n; i++) {
		finish_pair(&diffs[i], all_functions);
		if (diffs[i].damaged)
			return -1;
	}
	return 0;
}
