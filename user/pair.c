// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 2, diff: which old item is which new one, in levels:
 *
 *   1. by name and kind, where the name is the only one on both sides; an
 *      alias will do;
 *   2. static variables of functions, "count.0", whose numbers shift when
 *      another one is added: by the function that declares them, from DWARF;
 *      without it, by the functions that use them.  A variable is state, so
 *      one that may be either an old one or new is marked ambiguous, which is
 *      refused where it matters;
 *   3. constants with numbers, __func__.0 of several functions: by content;
 *   4. clones of functions, foo.constprop.0: by content as well, then by
 *      name.  What a clone was made for is not in its name; a pair that does
 *      not fit is safe, since callers and callees are paired alike;
 *   5. functions that were only renamed: by content;
 *   6. what moved to another file: global names across all files.
 *
 * A variable's name, not its size, is what counts: a pair of different sizes
 * is refused later, not taken for a new variable.
 */
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "debuginfo.h"
#include "pair.h"

struct pairing {
	struct hpkm_arena *arena;
	struct hpkm_object *old, *new;
	bool damaged;
};

static void make_pair(struct hpkm_item *o, struct hpkm_item *n)
{
	o->pair = n;
	n->pair = o;
	n->ambiguous = false;
}

static bool is_clone(const struct hpkm_item *item)
{
	return hpkm_item_is_code(item) && hpkm_item_numbered(item);
}

static bool is_state(const struct hpkm_item *item)
{
	return item->kind == HPKM_ITEM_DATA || item->kind == HPKM_ITEM_TLS;
}

/*
 * Static variables of functions: "count.0" is GCC's name, "func.count" and
 * "func.count.1" are clang's.  The number, or that there is none, depends on
 * what else is in the file.
 */
static bool is_static(const struct hpkm_item *item)
{
	return is_state(item) && !item->global && strchr(item->name, '.');
}

static bool needs_more(const struct hpkm_item *item)
{
	return hpkm_item_numbered(item) || is_static(item);
}

/* ---- by name ---- */

/* The only unpaired item of that name and kind, or NULL. */
static struct hpkm_item *only(struct hpkm_object *o, const char *name,
			      enum hpkm_item_kind kind)
{
	const struct hpkm_name *found;
	struct hpkm_item *match = NULL;
	size_t count;

	found = hpkm_object_find(o, name, &count);
	for (size_t i = 0; i < count; i++) {
		if (found[i].item->kind != kind || found[i].item->pair)
			continue;
		if (match && match != found[i].item)
			return NULL;
		match = found[i].item;
	}
	return match;
}

/* Own names first: one of another item may be an alias of this. */
static void pair_by_name(struct pairing *p, bool aliases)
{
	for (size_t i = 0; i < p->new->name_count; i++) {
		const struct hpkm_name *name = &p->new->names[i];
		struct hpkm_item *n = name->item, *o;

		if (n->pair || needs_more(n) ||
		    (!aliases && strcmp(name->name, n->name)) ||
		    only(p->new, name->name, n->kind) != n)
			continue;
		o = only(p->old, name->name, n->kind);
		if (o && (aliases || !strcmp(o->name, name->name)))
			make_pair(o, n);
	}
}

/* ---- groups of one base name ---- */

struct group {
	struct hpkm_item **items;
	size_t count;
};

static int compare_base(const void *x, const void *y)
{
	const struct hpkm_item *a = *(struct hpkm_item *const *)x;
	const struct hpkm_item *b = *(struct hpkm_item *const *)y;
	size_t n = hpkm_name_base(a->name), m = hpkm_name_base(b->name);
	int order;

	order = strncmp(a->name, b->name, n < m ? n : m);
	if (order)
		return order;
	if (n != m)
		return n < m ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* All unpaired items with numbers, those of one base side by side. */
static struct group numbered(struct pairing *p, struct hpkm_object *o)
{
	struct group g = { 0 };

	for (size_t i = 0; i < o->item_count; i++) {
		if (o->items[i]->pair || !needs_more(o->items[i]))
			continue;
		g.items = hpkm_arena_push(p->arena, g.items, g.count,
					  sizeof(*g.items));
		g.items[g.count++] = o->items[i];
	}
	if (g.count)
		qsort(g.items, g.count, sizeof(*g.items), compare_base);
	return g;
}

/* The part of @all that has the base and the kind of @like. */
static struct group group_of(const struct group *all,
			     const struct hpkm_item *like)
{
	struct group g = { 0 };

	for (size_t i = 0; i < all->count; i++) {
		if (!hpkm_item_same_base(all->items[i], like)) {
			if (g.count)
				break;
			continue;
		}
		if (!g.count)
			g.items = &all->items[i];
		g.count++;
	}
	return g;
}

/* ---- static variables: who uses them ---- */

struct use {
	const struct hpkm_item *item;
	const char *name;	/* of the function */
	size_t length;		/* without what the compiler appended */
};

struct uses {
	struct use *list;
	size_t count;
};

static int compare_uses(const void *x, const void *y)
{
	const struct use *a = x, *b = y;

	return a->item < b->item ? -1 : a->item > b->item;
}

static struct uses find_uses(struct pairing *p, struct hpkm_object *o)
{
	struct uses u = { 0 };
	size_t first, count;
	struct hpkm_ref ref;

	for (size_t i = 0; i < o->item_count; i++) {
		const struct hpkm_item *f = o->items[i];

		if (!hpkm_item_is_code(f))
			continue;
		hpkm_object_relocs(o, f->section, f->offset,
				   f->offset + f->size, &first, &count);
		for (; count--; first++) {
			if (hpkm_object_ref(o, f->section, first, &ref)) {
				p->damaged = true;
				return u;
			}
			if (ref.kind != HPKM_REF_ITEM || !is_state(ref.item) ||
			    !needs_more(ref.item))
				continue;
			u.list = hpkm_arena_push(p->arena, u.list, u.count,
						 sizeof(*u.list));
			u.list[u.count++] = (struct use){
				ref.item, f->name, strcspn(f->name, "."),
			};
		}
	}
	if (u.count)
		qsort(u.list, u.count, sizeof(*u.list), compare_uses);
	return u;
}

static size_t first_use(const struct uses *u, const struct hpkm_item *item)
{
	size_t low = 0, high = u->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (u->list[mid].item < item)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Is there a function, in both objects, that uses both? */
static bool share_user(const struct uses *old, const struct hpkm_item *o,
		       const struct uses *new, const struct hpkm_item *n)
{
	for (size_t i = first_use(old, o);
	     i < old->count && old->list[i].item == o; i++)
		for (size_t k = first_use(new, n);
		     k < new->count && new->list[k].item == n; k++)
			if (old->list[i].length == new->list[k].length &&
			    !memcmp(old->list[i].name, new->list[k].name,
				    new->list[k].length))
				return true;
	return false;
}

static bool all_use(const struct uses *a, const struct hpkm_item *x,
		    const struct uses *b, const struct hpkm_item *y)
{
	for (size_t i = first_use(a, x);
	     i < a->count && a->list[i].item == x; i++) {
		size_t k = first_use(b, y);

		while (k < b->count && b->list[k].item == y &&
		       strcmp(a->list[i].name, b->list[k].name))
			k++;
		if (k >= b->count || b->list[k].item != y)
			return false;
	}
	return true;
}

/*
 * What nothing else tells apart: parts that clang made of one variable, or
 * variables of one function.  Their numbers count as long as there are as many
 * as before, of the same sizes, with the same users.
 */
static void pair_by_number(struct group olds, const struct uses *old_uses,
			   struct group news, const struct uses *new_uses)
{
	if (olds.count != news.count)
		return;
	for (size_t i = 0; i < olds.count; i++) {
		struct hpkm_item *o = olds.items[i], *n = news.items[i];

		if (o->pair != n->pair && o->pair != n)
			return;
		if (strcmp(o->name, n->name) || o->size != n->size ||
		    !all_use(old_uses, o, new_uses, n) ||
		    !all_use(new_uses, n, old_uses, o))
			return;
	}
	for (size_t i = 0; i < olds.count; i++)
		if (!olds.items[i]->pair && !news.items[i]->pair)
			make_pair(olds.items[i], news.items[i]);
}

/* The only one of a group that shares a user, and none else has as a user. */
static void pair_by_users(struct group olds, const struct uses *old_uses,
			  struct group news, const struct uses *new_uses)
{
	for (size_t k = 0; k < news.count; k++) {
		struct hpkm_item *n = news.items[k], *match = NULL;
		size_t matches = 0, back = 0;

		if (n->pair)
			continue;
		for (size_t i = 0; i < olds.count; i++) {
			if (!olds.items[i]->pair &&
			    share_user(old_uses, olds.items[i], new_uses, n)) {
				match = olds.items[i];
				matches++;
			}
		}
		for (size_t i = 0; match && i < news.count; i++)
			back += !news.items[i]->pair &&
				share_user(old_uses, match, new_uses,
					   news.items[i]);
		if (matches == 1 && back == 1)
			make_pair(match, n);
	}
	pair_by_number(olds, old_uses, news, new_uses);
	/*
	 * As long as an old one is left over, a new one may be that one: its
	 * function may have been renamed.
	 */
	for (size_t k = 0; k < news.count; k++)
		for (size_t i = 0; i < olds.count; i++)
			if (!news.items[k]->pair && !olds.items[i]->pair)
				news.items[k]->ambiguous = true;
}

static bool same_scope(const struct hpkm_item *a, const struct hpkm_item *b)
{
	return a->scope && b->scope && !strcmp(a->scope, b->scope);
}

/* The only one of a group that is declared in the same function. */
static struct hpkm_item *only_in_scope(struct group g,
				       const struct hpkm_item *like)
{
	struct hpkm_item *match = NULL;

	for (size_t i = 0; i < g.count; i++) {
		if (g.items[i]->pair || !same_scope(g.items[i], like))
			continue;
		if (match)
			return NULL;
		match = g.items[i];
	}
	return match;
}

static void pair_by_scope(struct group olds, struct group news)
{
	for (size_t i = 0; i < news.count; i++) {
		struct hpkm_item *o = only_in_scope(olds, news.items[i]);

		if (o && only_in_scope(news, o) == news.items[i])
			make_pair(o, news.items[i]);
	}
}

static void pair_variables(struct pairing *p)
{
	struct group olds = numbered(p, p->old), news = numbered(p, p->new);
	struct uses old_uses, new_uses;

	if (!olds.count || !news.count)
		return;
	old_uses = find_uses(p, p->old);
	new_uses = find_uses(p, p->new);
	if (p->damaged)
		return;
	if (hpkm_debuginfo_open(p->old) && hpkm_debuginfo_open(p->new)) {
		hpkm_debuginfo_scopes(p->old);
		hpkm_debuginfo_scopes(p->new);
	}
	for (size_t i = 0; i < news.count; i++) {
		struct hpkm_item *n = news.items[i];
		struct group old, new;

		if (!is_state(n) ||
		    (i && hpkm_item_same_base(news.items[i - 1], n)))
			continue;
		old = group_of(&olds, n);
		new = group_of(&news, n);
		pair_by_scope(old, new);
		pair_by_users(old, &old_uses, new, &new_uses);
	}
}

/* ---- by content ---- */

/* One pass; true when something was paired. */
static bool pair_group_by_content(struct pairing *p, struct group olds,
				  struct group news)
{
	bool some = false;

	for (size_t k = 0; k < news.count; k++) {
		for (size_t i = 0; i < olds.count && !news.items[k]->pair; i++) {
			if (olds.items[i]->pair ||
			    !hpkm_same_item(olds.items[i], news.items[k],
					    &p->damaged))
				continue;
			make_pair(olds.items[i], news.items[k]);
			some = true;
		}
	}
	return some;
}

static bool pair_by_content(struct pairing *p, bool clones)
{
	struct group olds = numbered(p, p->old), news = numbered(p, p->new);
	bool some = false;

	for (size_t i = 0; i < news.count; i++) {
		struct hpkm_item *n = news.items[i];

		if (is_state(n) || is_clone(n) != clones ||
		    (i && hpkm_item_same_base(news.items[i - 1], n)))
			continue;
		some |= pair_group_by_content(p, group_of(&olds, n),
					      group_of(&news, n));
	}
	return some;
}

/* Clones that no content tells, and constants that are alone. */
static void pair_the_rest(struct pairing *p)
{
	struct group olds = numbered(p, p->old), news = numbered(p, p->new);

	for (size_t i = 0; i < news.count; i++) {
		struct hpkm_item *n = news.items[i], *o = NULL;
		struct group old = group_of(&olds, n);

		if (is_state(n) || n->pair)
			continue;
		if (is_clone(n))
			o = only(p->old, n->name, n->kind);
		if (!o && old.count == 1 && group_of(&news, n).count == 1)
			o = old.items[0];
		if (o && !o->pair)
			make_pair(o, n);
	}
}

/* ---- renamed functions ---- */

static int compare_sizes(const void *x, const void *y)
{
	const struct hpkm_item *a = *(struct hpkm_item *const *)x;
	const struct hpkm_item *b = *(struct hpkm_item *const *)y;

	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return strcmp(a->name, b->name);
}

static struct group unpaired_functions(struct pairing *p,
				       struct hpkm_object *o)
{
	struct group g = { 0 };

	for (size_t i = 0; i < o->item_count; i++) {
		struct hpkm_item *f = o->items[i];

		if (f->kind != HPKM_ITEM_FUNC || f->pair || f->global ||
		    f->ifunc)
			continue;
		g.items = hpkm_arena_push(p->arena, g.items, g.count,
					  sizeof(*g.items));
		g.items[g.count++] = f;
	}
	if (g.count)
		qsort(g.items, g.count, sizeof(*g.items), compare_sizes);
	return g;
}

static struct hpkm_item *only_like(struct pairing *p, struct group g,
				   struct hpkm_item *item, bool old)
{
	struct hpkm_item *match = NULL;

	for (size_t i = 0; i < g.count; i++) {
		struct hpkm_item *o = old ? g.items[i] : item;
		struct hpkm_item *n = old ? item : g.items[i];

		if (g.items[i]->pair || g.items[i]->size != item->size ||
		    !hpkm_same_item(o, n, &p->damaged))
			continue;
		if (match)
			return NULL;
		match = g.items[i];
	}
	return match;
}

static void pair_renamed(struct pairing *p)
{
	struct group olds = unpaired_functions(p, p->old);
	struct group news = unpaired_functions(p, p->new);

	for (size_t i = 0; olds.count && i < news.count; i++) {
		struct hpkm_item *n = news.items[i];
		struct hpkm_item *o = only_like(p, olds, n, true);

		if (o && only_like(p, news, o, false) == n)
			make_pair(o, n);
	}
}

/* ---- across files ---- */

struct named {
	struct hpkm_item *item;
	size_t pair;
};

static int compare_named(const void *x, const void *y)
{
	const struct named *a = x, *b = y;
	int order = strcmp(a->item->name, b->item->name);

	if (order)
		return order;
	return a->pair < b->pair ? -1 : a->pair > b->pair;
}

static struct named *find_named(struct named *list, size_t count,
				const char *name, size_t *matches)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(list[mid].item->name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*matches = 0;
	while (low + *matches < count &&
	       !strcmp(list[low + *matches].item->name, name))
		++*matches;
	return &list[low];
}

/*
 * A global that left one file and came into another is the same.  A static
 * variable may be: then its state would be lost, so it is ambiguous.
 */
static void pair_moved(struct hpkm_item *n, struct named *found, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct hpkm_item *o = found[i].item;

		if (o->pair || o->object->anchor != n->object->anchor ||
		    o->kind != n->kind || n->pair)
			continue;
		if (o->global && n->global)
			make_pair(o, n);
		else if (is_state(n))
			n->ambiguous = true;
	}
}

static void pair_across(struct hpkm_arena *arena, struct hpkm_pair *pairs,
			size_t count)
{
	struct named *left = NULL, *found;
	size_t left_count = 0, matches;

	for (size_t i = 0; i < count; i++) {
		struct hpkm_object *o = &pairs[i].old;

		for (size_t k = 0; k < o->item_count; k++) {
			if (o->items[k]->pair ||
			    needs_more(o->items[k]))
				continue;
			left = hpkm_arena_push(arena, left, left_count,
					       sizeof(*left));
			left[left_count++] = (struct named){ o->items[k], i };
		}
	}
	if (!left_count)
		return;
	qsort(left, left_count, sizeof(*left), compare_named);
	for (size_t i = 0; i < count; i++) {
		struct hpkm_object *o = &pairs[i].new;

		for (size_t k = 0; k < o->item_count; k++) {
			struct hpkm_item *n = o->items[k];

			if (n->pair || needs_more(n))
				continue;
			found = find_named(left, left_count, n->name,
					   &matches);
			pair_moved(n, found, matches);
		}
	}
}

int hpkm_pair_items(struct hpkm_pair *pairs, size_t count)
{
	bool damaged = false;

	for (size_t i = 0; i < count && !damaged; i++) {
		struct pairing p = {
			.arena = pairs[i].new.arena,
			.old = &pairs[i].old,
			.new = &pairs[i].new,
		};

		pair_by_name(&p, false);
		pair_by_name(&p, true);
		pair_variables(&p);
		pair_by_content(&p, false);
		while (!p.damaged && pair_by_content(&p, true))
			;
		pair_the_rest(&p);
		pair_renamed(&p);
		damaged = p.damaged;
		/* Lines may be asked for, later and of few. */
		hpkm_debuginfo_close(p.old);
		hpkm_debuginfo_close(p.new);
	}
	if (count && !damaged)
		pair_across(pairs[0].new.arena, pairs, count);
	return damaged ? -1 : 0;
}
