// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 2, diff: variables that are called otherwise.
 *
 * What a variable is called in an object file depends on the compiler, and on
 * what else is in the file: "count" is a variable of the file, "count.0" one of
 * a function (GCC), "func.count" too (clang); of a variable that only ever is
 * true or false clang makes "count.b", of a structure "count.0" and "count.1".
 * A new one and an old one that was called so in the source may be one, and
 * then the process has its value.  Nothing says that it is, nor that it is not:
 * code that uses it is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "state.h"

/* What it may have been called in the source. */
struct stem {
	const char *name;
	size_t length;
	struct hpkm_item *item;
};

struct stems {
	struct stem *list;
	size_t count;
};

#define STEMS_MAX 2

static bool is_number(const char *text, size_t length)
{
	return length && strspn(text, "0123456789") >= length;
}

/* What clang appends to the name of what a variable has become. */
static bool is_form(const char *text, size_t length)
{
	return (length == 1 && *text == 'b') ||
		(length == 4 && (!memcmp(text, "body", 4) ||
				 !memcmp(text, "init", 4))) ||
		(length > 1 && *text == 'f' && is_number(text + 1, length - 1));
}

/* The last part of the name between dots that is no number; its length. */
static size_t last_part(const char *name, size_t length, const char **part)
{
	for (;;) {
		const char *dot = length ? memrchr(name, '.', length) : NULL;

		*part = dot ? dot + 1 : name;
		length -= *part - name;
		if (!dot || !is_number(*part, length))
			return length;
		length = dot - name;
	}
}

static size_t find_stems(struct hpkm_item *item, struct stem stems[STEMS_MAX])
{
	const char *part;
	size_t length = last_part(item->name, strlen(item->name), &part);

	stems[0] = (struct stem){ part, length, item };
	if (part == item->name || !is_form(part, length))
		return 1;
	length = last_part(item->name, part - 1 - item->name, &part);
	stems[1] = (struct stem){ part, length, item };
	return 2;
}

static int compare_stems(const void *x, const void *y)
{
	const struct stem *a = x, *b = y;
	int order = memcmp(a->name, b->name,
			   a->length < b->length ? a->length : b->length);

	if (order || a->length == b->length)
		return order;
	return a->length < b->length ? -1 : 1;
}

static struct stems left_over(struct hpkm_pair *pairs, size_t count)
{
	struct stem found[STEMS_MAX];
	struct stems s = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct hpkm_object *o = &pairs[i].old;

		for (size_t k = 0; k < o->item_count; k++) {
			struct hpkm_item *item = o->items[k];
			size_t n;

			if (item->pair || !hpkm_item_is_state(item))
				continue;
			n = find_stems(item, found);
			for (size_t m = 0; m < n; m++) {
				s.list = hpkm_arena_push(o->arena, s.list,
							 s.count,
							 sizeof(*s.list));
				s.list[s.count++] = found[m];
			}
		}
	}
	if (s.count)
		qsort(s.list, s.count, sizeof(*s.list), compare_stems);
	return s;
}

static bool is_plain(const struct hpkm_item *item)
{
	return !strchr(item->name, '.');
}

/*
 * Functions of one file use one variable, whatever became of its size; for
 * those of another file, other names than in the source count only with that.
 * A constant is what an old variable is that nothing writes any more.
 */
static bool may_be(const struct hpkm_pair *pair, const struct hpkm_item *o,
		   const struct hpkm_item *n)
{
	bool own = o->object == &pair->old;

	if (o->object->anchor != n->object->anchor)
		return false;
	if (n->kind == HPKM_ITEM_CONST)
		return own && !n->global && o->size == n->size;
	return own || o->size == n->size || (is_plain(o) && is_plain(n));
}

static const struct hpkm_item *find_old(const struct hpkm_pair *pair,
					const struct stems *olds,
					struct hpkm_item *n)
{
	struct stem stems[STEMS_MAX];
	size_t count = find_stems(n, stems);

	for (size_t i = 0; i < count; i++) {
		struct stem *s = bsearch(&stems[i], olds->list, olds->count,
					 sizeof(*s), compare_stems);
		struct stem *end = olds->list + olds->count;

		if (!s)
			continue;
		while (s > olds->list && !compare_stems(s - 1, s))
			s--;
		for (; s < end && !compare_stems(s, &stems[i]); s++)
			if (may_be(pair, s->item, n))
				return s->item;
	}
	return NULL;
}

void hpkm_state_mark(struct hpkm_pair *pairs, size_t count)
{
	struct stems olds = left_over(pairs, count);

	for (size_t i = 0; olds.count && i < count; i++) {
		struct hpkm_object *new = &pairs[i].new;

		for (size_t k = 0; k < new->item_count; k++) {
			struct hpkm_item *n = new->items[k];

			if (!n->pair && !hpkm_item_is_code(n))
				n->perhaps = find_old(&pairs[i], &olds, n);
		}
	}
}

/* Those of a file that have no pair, as text; NULL: none. */
static const char *gone(struct hpkm_arena *arena, const struct hpkm_object *old)
{
	const char *names = NULL;

	for (size_t i = 0; i < old->item_count; i++)
		if (!old->items[i]->pair && hpkm_item_is_state(old->items[i]))
			names = hpkm_arena_printf(arena, "%s%s%s",
						  names ? names : "",
						  names ? ", " : "",
						  old->items[i]->name);
	return names;
}

/* The declarations of hpkm/patch.h are nothing that a program had. */
static bool is_ours(const struct hpkm_item *item)
{
	return !strncmp(item->name, "hpkm_", 5);
}

void hpkm_state_check(struct hpkm_patch *patch)
{
	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *new = &patch->pairs[i].new;
		const char *names = gone(patch->arena, &patch->pairs[i].old);

		for (size_t k = 0; names && k < new->item_count; k++) {
			const struct hpkm_item *n = new->items[k];

			if (n->piece && !n->pair && n->kind == HPKM_ITEM_DATA &&
			    !is_ours(n))
				hpkm_caution(&patch->verdicts, n->name,
					     "a new variable, while there is no %s any more: if it takes the place of that, the state is lost",
					     names);
		}
	}
}
