// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 2, diff.  First the items of old and new are paired, in levels:
 *
 *   1. by name and kind, where the name is the only one on both sides
 *      (global and static functions and variables; clones such as
 *      foo.constprop.0 too: any pairing of functions is right as long as it
 *      is the same for callers and callees, so the number may count);
 *   2. static variables of functions, "count.0", whose numbers shift when
 *      another one is added: by the name without numbers, when that is unique
 *      on both sides;
 *   3. else constants by their content (__func__.0 of several functions), and
 *      variables by the functions that use them.  A variable is state, so a
 *      pair that stays unclear is marked ambiguous and refused where it
 *      matters.
 *
 * Then they are compared: bytes with relocated fields masked, and relocations
 * by what they mean.
 */
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "hpkm.h"

#define DEPTH_MAX 16

struct diff {
	struct hpkm_object *old, *new;
	struct hpkm_verdicts *verdicts;
	bool damaged;
};

/* ---- pairing ---- */

static void make_pair(struct hpkm_item *o, struct hpkm_item *n)
{
	o->pair = n;
	n->pair = o;
}

static bool is_variable(const struct hpkm_item *item)
{
	return item->kind != HPKM_ITEM_FUNC && item->kind != HPKM_ITEM_COLD;
}

static bool is_numbered(const struct hpkm_item *item)
{
	return !item->global && item->name[hpkm_name_base(item->name)];
}

/* The only unpaired item of that name and kind, or NULL. */
static struct hpkm_item *only(struct hpkm_object *o, const char *name,
			      enum hpkm_item_kind kind)
{
	struct hpkm_item **found, *match = NULL;
	size_t count;

	found = hpkm_object_find(o, name, &count);
	for (size_t i = 0; i < count; i++) {
		if (found[i]->kind != kind || found[i]->pair)
			continue;
		if (match)
			return NULL;
		match = found[i];
	}
	return match;
}

static void pair_by_name(struct diff *d)
{
	for (size_t i = 0; i < d->new->item_count; i++) {
		struct hpkm_item *n = d->new->items[i], *o;

		if (is_variable(n) && is_numbered(n))
			continue;
		if (only(d->new, n->name, n->kind) != n)
			continue;
		o = only(d->old, n->name, n->kind);
		if (o)
			make_pair(o, n);
	}
}

static bool same_base(const struct hpkm_item *a, const struct hpkm_item *b)
{
	size_t n = hpkm_name_base(a->name);

	return a->kind == b->kind && n == hpkm_name_base(b->name) &&
		!memcmp(a->name, b->name, n);
}

/* The unpaired items of one base name in one object, in order of names. */
static size_t group(struct hpkm_object *o, const struct hpkm_item *like,
		    struct hpkm_item **members, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < o->item_count; i++)
		if (!o->by_name[i]->pair && is_numbered(o->by_name[i]) &&
		    same_base(o->by_name[i], like) && count < max)
			members[count++] = o->by_name[i];
	return count;
}

/* A function's name, without what the compiler appended to it. */
static size_t source_name(const char *name)
{
	return strcspn(name, ".");
}

/* Is the item used by a function that comes from @name's source function? */
static bool used_by(struct hpkm_object *o, const struct hpkm_item *item,
		    const char *name)
{
	size_t length = source_name(name), first, count;
	struct hpkm_ref ref;

	for (size_t i = 0; i < o->item_count; i++) {
		const struct hpkm_item *f = o->items[i];

		if (is_variable(f) || source_name(f->name) != length ||
		    memcmp(f->name, name, length))
			continue;
		hpkm_object_relocs(o, f->section, f->offset,
				   f->offset + f->size, &first, &count);
		for (; count--; first++)
			if (!hpkm_object_ref(o, f->section, first, &ref) &&
			    ref.kind == HPKM_REF_ITEM && ref.item == item)
				return true;
	}
	return false;
}

/* Is there a function, in both objects, that uses both? */
static bool share_user(struct diff *d, struct hpkm_item *o,
		       struct hpkm_item *n)
{
	for (size_t i = 0; i < d->old->item_count; i++) {
		const char *name = d->old->items[i]->name;

		if (!is_variable(d->old->items[i]) &&
		    used_by(d->old, o, name) && used_by(d->new, n, name))
			return true;
	}
	return false;
}

#define GROUP_MAX 64

static void pair_by_users(struct diff *d, struct hpkm_item **olds,
			  size_t old_count, struct hpkm_item **news,
			  size_t new_count)
{
	static bool shared[GROUP_MAX][GROUP_MAX];

	for (size_t i = 0; i < old_count; i++)
		for (size_t k = 0; k < new_count; k++)
			shared[i][k] = share_user(d, olds[i], news[k]);
	for (size_t i = 0; i < old_count; i++) {
		size_t match = new_count, matches = 0, back = 0;

		for (size_t k = 0; k < new_count; k++) {
			if (shared[i][k] && olds[i]->size == news[k]->size) {
				match = k;
				matches++;
			}
		}
		if (matches != 1)
			continue;
		for (size_t m = 0; m < old_count; m++)
			back += shared[m][match] &&
				olds[m]->size == news[match]->size;
		if (back == 1)
			make_pair(olds[i], news[match]);
	}
	/*
	 * A new one that shares a user with no old one is new.  One that
	 * shares with several might be any of them.
	 */
	for (size_t k = 0; k < new_count; k++) {
		if (news[k]->pair)
			continue;
		for (size_t i = 0; i < old_count; i++)
			news[k]->ambiguous |= !olds[i]->pair && shared[i][k];
	}
}

static bool same_item(struct diff *d, struct hpkm_item *o,
		      struct hpkm_item *n, unsigned int depth);

static void pair_by_content(struct diff *d, struct hpkm_item **olds,
			    size_t old_count, struct hpkm_item **news,
			    size_t new_count)
{
	for (size_t k = 0; k < new_count; k++)
		for (size_t i = 0; i < old_count && !news[k]->pair; i++)
			if (!olds[i]->pair && same_item(d, olds[i], news[k], 0))
				make_pair(olds[i], news[k]);
}

static void pair_numbered(struct diff *d)
{
	struct hpkm_item *olds[GROUP_MAX], *news[GROUP_MAX];
	size_t old_count, new_count;

	for (size_t i = 0; i < d->new->item_count; i++) {
		struct hpkm_item *n = d->new->by_name[i];

		if (n->pair || n->ambiguous || !is_numbered(n))
			continue;
		old_count = group(d->old, n, olds, GROUP_MAX);
		new_count = group(d->new, n, news, GROUP_MAX);
		if (!old_count)
			continue;
		if (old_count == GROUP_MAX || new_count == GROUP_MAX) {
			n->ambiguous = is_variable(n);
			continue;
		}
		if (old_count == 1 && new_count == 1)
			make_pair(olds[0], n);
		else if (n->kind == HPKM_ITEM_CONST)
			pair_by_content(d, olds, old_count, news, new_count);
		else if (is_variable(n))
			pair_by_users(d, olds, old_count, news, new_count);
	}
}

/* ---- comparing ---- */

static bool same_nameless(struct diff *d, const struct hpkm_ref *o,
			  const struct hpkm_ref *n, unsigned int depth);

static bool same_ref(struct diff *d, uint32_t os, size_t oi, uint32_t ns,
		     size_t ni, unsigned int depth)
{
	const struct hpkm_elf_section *a, *b;
	struct hpkm_ref o, n;
	uint64_t size;

	if (hpkm_object_ref(d->old, os, oi, &o) ||
	    hpkm_object_ref(d->new, ns, ni, &n)) {
		d->damaged = true;
		return false;
	}
	if (o.kind != n.kind)
		return false;
	a = &d->old->elf.sections[o.section];
	b = &d->new->elf.sections[n.section];
	switch (o.kind) {
	case HPKM_REF_UNDEF:
		return o.offset == n.offset &&
			!strcmp(o.symbol->name, n.symbol->name);
	case HPKM_REF_ITEM:
		if (o.offset != n.offset || o.item->pair == n.item)
			return o.offset == n.offset;
		/* Constants without a pair are what they contain. */
		return !o.item->pair && !n.item->pair && depth < DEPTH_MAX &&
			n.item->kind == HPKM_ITEM_CONST &&
			is_numbered(n.item) && same_base(o.item, n.item) &&
			same_item(d, o.item, n.item, depth + 1);
	case HPKM_REF_ABSOLUTE:
		return o.offset == n.offset;
	case HPKM_REF_STRING:
		size = hpkm_string_size(a, o.offset);
		return o.delta == n.delta &&
			size == hpkm_string_size(b, n.offset) &&
			!memcmp(a->data + o.offset, b->data + n.offset, size);
	case HPKM_REF_CONSTANT:
		if (a->entsize != b->entsize || o.delta != n.delta ||
		    o.offset % a->entsize != n.offset % b->entsize)
			return false;
		return !memcmp(a->data + o.offset - o.offset % a->entsize,
			       b->data + n.offset - n.offset % b->entsize,
			       a->entsize);
	case HPKM_REF_SECTION:
		return same_nameless(d, &o, &n, depth + 1);
	}
	return false;
}

/* Compares [o_off, o_off + size) with [n_off, n_off + size). */
static bool same_range(struct diff *d, uint32_t os, uint64_t o_off,
		       uint32_t ns, uint64_t n_off, uint64_t size,
		       unsigned int depth)
{
	const struct hpkm_elf_section *a = &d->old->elf.sections[os];
	const struct hpkm_elf_section *b = &d->new->elf.sections[ns];
	size_t oi, ni, o_count, n_count;
	uint64_t at = 0, place, end;

	hpkm_object_relocs(d->old, os, o_off, o_off + size, &oi, &o_count);
	hpkm_object_relocs(d->new, ns, n_off, n_off + size, &ni, &n_count);
	if (o_count != n_count)
		return false;
	for (size_t i = 0; i <= o_count; i++) {
		const struct hpkm_elf_reloc *r = &a->relocs[oi + i];
		const struct hpkm_elf_reloc *s = &b->relocs[ni + i];

		place = size;
		end = size;
		if (i < o_count) {
			place = r->offset - o_off;
			if (s->offset - n_off != place || r->type != s->type)
				return false;
			end = place + hpkm_rel_size(d->old->arch->rel(r->type));
		}
		/* Zeros, and maybe a great many of them. */
		if (!a->data && !b->data && at < place)
			at = place;
		for (; at < place; at++)
			if ((a->data ? a->data[o_off + at] : 0) !=
			    (b->data ? b->data[n_off + at] : 0))
				return false;
		if (at < end)
			at = end;
		if (i < o_count &&
		    !same_ref(d, os, oi + i, ns, ni + i, depth))
			return false;
	}
	return true;
}

/* Parts of sections that no symbol names: jump tables, mostly. */
static bool same_nameless(struct diff *d, const struct hpkm_ref *o,
			  const struct hpkm_ref *n, unsigned int depth)
{
	const struct hpkm_elf_section *a = &d->old->elf.sections[o->section];
	const struct hpkm_elf_section *b = &d->new->elf.sections[n->section];
	uint64_t o_end, n_end;

	if (depth > DEPTH_MAX || a->flags != b->flags || a->type != b->type)
		return false;
	if (o->offset < 0 || n->offset < 0 ||
	    (uint64_t)o->offset >= a->size || (uint64_t)n->offset >= b->size)
		/* Beside it: then all of it has to be the same. */
		return o->offset == n->offset && a->size == b->size &&
			same_range(d, o->section, 0, n->section, 0, a->size,
				   depth);
	hpkm_object_extent(d->old, o->section, o->offset, &o_end);
	hpkm_object_extent(d->new, n->section, n->offset, &n_end);
	return o_end - o->offset == n_end - n->offset &&
		same_range(d, o->section, o->offset, n->section, n->offset,
			   o_end - o->offset, depth);
}

static bool same_item(struct diff *d, struct hpkm_item *o,
		      struct hpkm_item *n, unsigned int depth)
{
	if (o->size != n->size)
		return false;
	if (o->section == HPKM_SECTION_COMMON ||
	    n->section == HPKM_SECTION_COMMON) {
		const struct hpkm_item *other =
			o->section == HPKM_SECTION_COMMON ? n : o;
		const uint8_t *bytes = other->section == HPKM_SECTION_COMMON ?
			NULL : hpkm_item_bytes(other);

		for (uint64_t i = 0; bytes && i < other->size; i++)
			if (bytes[i])
				return false;
		return true;
	}
	return same_range(d, o->section, o->offset, n->section, n->offset,
			  o->size, depth);
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

		if (!o || same_item(d, o, n, 0))
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
		default:
			mark(n, "its code changed");
			break;
		}
	}
}

/* A name that stands for something else now. */
static void compare_kinds(struct diff *d)
{
	for (size_t i = 0; i < d->new->item_count; i++) {
		struct hpkm_item *n = d->new->items[i], **found;
		size_t count;

		if (n->pair || is_numbered(n))
			continue;
		found = hpkm_object_find(d->old, n->name, &count);
		if (found && found[0]->kind != n->kind &&
		    (is_variable(n) || is_variable(found[0])))
			hpkm_refuse(d->verdicts, n->name,
				    "it changes its kind (constant, writable or thread-local variable, function)");
	}
}

/*
 * Why an item whose own bytes are the same changes nevertheless: it refers to
 * a changed constant, or it holds the addresses of labels ("goto *ops[i]") of
 * a changed function, which may look the same and lead into the old one.
 */
static const char *changes_with(struct diff *d, struct hpkm_item *n,
				const struct hpkm_item **which)
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
		*which = ref.item;
		if (ref.kind != HPKM_REF_ITEM || !ref.item->changed)
			continue;
		if (ref.item->kind == HPKM_ITEM_CONST)
			return "a constant that it uses changed";
		if (is_variable(n) && (ref.offset ||
				       ref.item->kind == HPKM_ITEM_COLD))
			return "it leads into a function that changed";
	}
	return NULL;
}

static bool spread_to(struct diff *d, struct hpkm_item *n)
{
	const struct hpkm_item *which = NULL;
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
		hpkm_refuse(d->verdicts, which->name,
			    "%s is pointed to by the live variable %s",
			    is_variable(which) ? "a constant that changes" :
			    "the inside of a function that changes", n->name);
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
		if (n->kind == HPKM_ITEM_CONST && n->global)
			hpkm_refuse(d->verdicts, n->name,
				    "a global constant changes: code of other files would keep using the old one");
	}
}

/* Constructors have run when a patch comes. */
static void check_constructors(struct diff *d)
{
	size_t old_count = 0, new_count = 0;

	for (size_t i = 1; i < d->old->elf.section_count; i++)
		if (!strncmp(d->old->elf.sections[i].name, ".init_array", 11))
			old_count += d->old->elf.sections[i].reloc_count;
	for (size_t i = 1; i < d->new->elf.section_count; i++)
		if (!strncmp(d->new->elf.sections[i].name, ".init_array", 11))
			new_count += d->new->elf.sections[i].reloc_count;
	if (new_count > old_count)
		hpkm_caution(d->verdicts, d->new->file ? d->new->file : "",
			     "a new constructor will not be run in processes that have started");
}

int hpkm_diff(struct hpkm_object *old, struct hpkm_object *new,
	      bool all_functions, struct hpkm_verdicts *verdicts)
{
	struct diff d = { .old = old, .new = new, .verdicts = verdicts };

	pair_by_name(&d);
	pair_numbered(&d);
	compare_items(&d);
	compare_kinds(&d);
	if (all_functions)
		for (size_t i = 0; i < new->item_count; i++)
			if (new->items[i]->kind == HPKM_ITEM_FUNC &&
			    new->items[i]->pair && !new->items[i]->ifunc)
				mark(new->items[i], "all were asked for");
	if (!d.damaged)
		spread(&d);
	check_changed(&d);
	check_constructors(&d);
	return d.damaged ? -1 : 0;
}
