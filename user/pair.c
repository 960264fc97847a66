// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 2, diff: which old item is which new one, in levels:
 *
 *   1. by name and kind, where the name is the only one on both sides; an
 *      alias will do;
 *   2. static variables of functions, "count.0", whose numbers shift when
 *      another one is added: by the function that declares them, from DWARF;
 *      without it, by the functions that use them; by number only when one of
 *      those has not changed.  What is left may be either an old one or new
 *      (state.c);
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
#include "lines.h"
#include "pair.h"
#include "state.h"

/* A use of a static variable. */
struct use {
	const struct hpkm_item *item;
	struct hpkm_item *user;
	size_t length;	/* of its name, without what the compiler appended */
};

struct uses {
	struct use *list;
	size_t count;
};

struct pairing {
	struct hpkm_arena *arena;
	struct hpkm_object *old, *new;
	struct uses old_uses, new_uses;
	/* Old ones that have a pair by their number only, until it is proven. */
	struct hpkm_item **guesses;
	size_t guess_count;
	bool damaged;
};

static void make_pair(struct hpkm_item *o, struct hpkm_item *n)
{
	o->pair = n;
	n->pair = o;
}

static bool is_clone(const struct hpkm_item *item)
{
	return hpkm_item_is_code(item) && hpkm_item_numbered(item);
}

/*
 * Static variables of functions: "count.0" is GCC's name, "func.count" and
 * "func.count.1" are clang's.  The number, or that there is none, depends on
 * what else is in the file.
 */
static bool is_static(const struct hpkm_item *item)
{
	return hpkm_item_is_state(item) && !item->global && strchr(item->name, '.');
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
		struct hpkm_item *user = o->items[i];

		if (user->section == HPKM_SECTION_COMMON)
			continue;
		hpkm_object_relocs(o, user->section, user->offset,
				   user->offset + user->size, &first, &count);
		for (; count--; first++) {
			if (hpkm_object_ref(o, user->section, first, &ref)) {
				p->damaged = true;
				return u;
			}
			if (ref.kind != HPKM_REF_ITEM ||
			    !hpkm_item_is_state(ref.item) ||
			    !needs_more(ref.item))
				continue;
			u.list = hpkm_arena_push(p->arena, u.list, u.count,
						 sizeof(*u.list));
			u.list[u.count++] = (struct use){
				ref.item, user, strcspn(user->name, "."),
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
static bool share_user(const struct pairing *p, const struct hpkm_item *o,
		       const struct hpkm_item *n)
{
	const struct uses *old = &p->old_uses, *new = &p->new_uses;

	for (size_t i = first_use(old, o);
	     i < old->count && old->list[i].item == o; i++)
		for (size_t k = first_use(new, n);
		     k < new->count && new->list[k].item == n; k++)
			if (hpkm_item_is_code(old->list[i].user) &&
			    hpkm_item_is_code(new->list[k].user) &&
			    old->list[i].length == new->list[k].length &&
			    !memcmp(old->list[i].user->name,
				    new->list[k].user->name,
				    new->list[k].length))
				return true;
	return false;
}

/*
 * What nothing else tells apart: parts that clang made of one variable, or
 * variables of one function.  Their numbers may tell, if there are as many as
 * before: check_guesses() sees whether they do.
 */
static void pair_by_number(struct pairing *p, struct group olds,
			   struct group news)
{
	if (olds.count != news.count)
		return;
	for (size_t i = 0; i < olds.count; i++) {
		struct hpkm_item *o = olds.items[i], *n = news.items[i];

		if (o->pair != n->pair && o->pair != n)
			return;
		if (strcmp(o->name, n->name) || o->size != n->size)
			return;
	}
	for (size_t i = 0; i < olds.count; i++) {
		if (olds.items[i]->pair || news.items[i]->pair)
			continue;
		make_pair(olds.items[i], news.items[i]);
		p->guesses = hpkm_arena_push(p->arena, p->guesses,
					     p->guess_count,
					     sizeof(*p->guesses));
		p->guesses[p->guess_count++] = olds.items[i];
	}
}

/* Is there code or data that uses it and is the same with all pairs guessed? */
static bool is_proven(struct pairing *p, const struct hpkm_item *old)
{
	const struct uses *u = &p->old_uses;
	size_t i = first_use(u, old);

	for (; i < u->count && u->list[i].item == old; i++) {
		struct hpkm_item *o = u->list[i].user, *n = o->pair;

		if (n && (hpkm_same_item(o, n, &p->damaged) ||
			  (hpkm_item_is_code(o) &&
			   hpkm_lines_only(o, n, &p->damaged))))
			return true;
	}
	return false;
}

/*
 * Are numbers right?  A variable is the same if a function that has not changed
 * has it in the same places; that it has not is judged with all numbers right.
 */
static void check_guesses(struct pairing *p)
{
	bool *proven = hpkm_arena_alloc(p->arena, p->guess_count,
					sizeof(*proven));

	for (size_t i = 0; i < p->guess_count && !p->damaged; i++)
		proven[i] = is_proven(p, p->guesses[i]);
	for (size_t i = 0; i < p->guess_count; i++) {
		struct hpkm_item *o = p->guesses[i];

		if (proven[i])
			continue;
		o->pair->pair = NULL;
		o->pair = NULL;
	}
}

/*
 * Clang's numbers are those of a variable's parts: one that a function uses
 * now may be another part than the one that it used.
 */
static bool is_part(const struct hpkm_item *item)
{
	return hpkm_item_numbered(item) && hpkm_object_by_clang(item->object);
}

/* The only one of a group that shares a user, and none else has as a user. */
static void pair_by_users(struct pairing *p, struct group olds,
			  struct group news)
{
	for (size_t k = 0; k < news.count; k++) {
		struct hpkm_item *n = news.items[k], *match = NULL;
		size_t matches = 0, back = 0;

		if (n->pair || is_part(n))
			continue;
		for (size_t i = 0; i < olds.count; i++) {
			if (!olds.items[i]->pair &&
			    share_user(p, olds.items[i], n)) {
				match = olds.items[i];
				matches++;
			}
		}
		for (size_t i = 0; match && i < news.count; i++)
			back += !news.items[i]->pair &&
				share_user(p, match, news.items[i]);
		if (matches == 1 && back == 1 && !is_part(match))
			make_pair(match, n);
	}
	pair_by_number(p, olds, news);
}

/* Declared in the same function: everywhere in it, or not in a block? */
enum { ANYWHERE, OUTERMOST };

static bool same_scope(const struct hpkm_item *a, const struct hpkm_item *b,
		       int where)
{
	return a->scope && b->scope && !strcmp(a->scope, b->scope) &&
		(where == ANYWHERE || (!a->in_block && !b->in_block));
}

/* The only one of a group that is declared in the same function. */
static struct hpkm_item *only_in_scope(struct group g,
				       const struct hpkm_item *like, int where)
{
	struct hpkm_item *match = NULL;

	for (size_t i = 0; i < g.count; i++) {
		if (g.items[i]->pair || !same_scope(g.items[i], like, where))
			continue;
		if (match)
			return NULL;
		match = g.items[i];
	}
	return match;
}

/*
 * A function may have several of one name in its blocks, but only one that is
 * in none.
 */
static void pair_by_scope(struct group olds, struct group news)
{
	for (int where = OUTERMOST; where >= ANYWHERE; where--) {
		for (size_t i = 0; i < news.count; i++) {
			struct hpkm_item *n = news.items[i], *o;

			if (n->pair)
				continue;
			o = only_in_scope(olds, n, where);
			if (o && only_in_scope(news, o, where) == n)
				make_pair(o, n);
		}
	}
}

static void pair_variables(struct pairing *p)
{
	struct group olds = numbered(p, p->old), news = numbered(p, p->new);

	if (!olds.count || !news.count)
		return;
	p->old_uses = find_uses(p, p->old);
	p->new_uses = find_uses(p, p->new);
	if (p->damaged)
		return;
	if (hpkm_debuginfo_open(p->old) && hpkm_debuginfo_open(p->new)) {
		hpkm_debuginfo_scopes(p->old);
		hpkm_debuginfo_scopes(p->new);
	}
	for (size_t i = 0; i < news.count; i++) {
		struct hpkm_item *n = news.items[i];
		struct group old, new;

		if (!hpkm_item_is_state(n) ||
		    (i && hpkm_item_same_base(news.items[i - 1], n)))
			continue;
		old = group_of(&olds, n);
		new = group_of(&news, n);
		pair_by_scope(old, new);
		pair_by_users(p, old, new);
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

		if (hpkm_item_is_state(n) || is_clone(n) != clones ||
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

		if (hpkm_item_is_state(n) || n->pair)
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

/* A global that left one file and came into another is the same. */
static void pair_moved(struct hpkm_item *n, struct named *found, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct hpkm_item *o = found[i].item;

		if (!o->pair && o->object->anchor == n->object->anchor &&
		    o->kind == n->kind && !n->pair && o->global && n->global)
			make_pair(o, n);
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
		check_guesses(&p);
		damaged = p.damaged;
		/* Lines may be asked for, later and of few. */
		hpkm_debuginfo_close(p.old);
		hpkm_debuginfo_close(p.new);
	}
	if (count && !damaged)
		pair_across(pairs[0].new.arena, pairs, count);
	hpkm_state_mark(pairs, count);
	return damaged ? -1 : 0;
}
