// SPDX-License-Identifier: GPL-2.0
/* Between stages 2 and 3: what a symbol of an object file may be in the anchor. */
#include <string.h>

#include "candidates.h"
#include "hpkm.h"

static bool right_type(const struct hpkm_item *item,
		       const struct hpkm_anchor_symbol *s)
{
	switch (item->kind) {
	case HPKM_ITEM_FUNC:
	case HPKM_ITEM_COLD:
		return s->type == STT_FUNC || s->type == STT_GNU_IFUNC ||
			s->type == STT_NOTYPE;
	case HPKM_ITEM_TLS:
		return s->type == STT_TLS;
	default:
		return s->type == STT_OBJECT || s->type == STT_NOTYPE;
	}
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool hpkm_candidate_same_file(const struct hpkm_item *item,
			      const struct hpkm_anchor_symbol *symbol)
{
	const char *file = item->object->file;

	return !file || !symbol->file || !strcmp(last_part(file),
						 last_part(symbol->file));
}

static bool is_own(const struct hpkm_item *item,
		   const struct hpkm_anchor_symbol *s)
{
	return item->object->file && s->file &&
		hpkm_candidate_same_file(item, s);
}

/* A run of the anchor's symbols, by name and address. */
struct run {
	const struct hpkm_anchor_symbol *first, *end;
	size_t base;	/* of numbered names; 0: all are of the item's name */
};

static bool fits(const struct hpkm_item *item, const struct run *run,
		 const struct hpkm_anchor_symbol *s)
{
	if (run->base &&
	    (s->global || hpkm_name_base(s->name) != run->base))
		return false;
	if (!run->base && !hpkm_anchor_is_meant(s, item->name))
		return false;
	/* Only a hidden global may be local in the anchor. */
	return right_type(item, s) && (item->global || !s->global);
}

/* What is not of the item's own file does not count when something is. */
static struct hpkm_candidates *select_from(struct hpkm_item *item,
					   const struct run *run)
{
	struct hpkm_arena *arena = item->object->arena;
	struct hpkm_candidates *all = hpkm_arena_alloc(arena, 1, sizeof(*all));
	const struct hpkm_anchor_symbol *s;

	for (int own = 1; own >= 0 && !all->count; own--) {
		for (s = run->first; s < run->end; s++) {
			if (!fits(item, run, s) || (own && !is_own(item, s)))
				continue;
			all->list = hpkm_arena_push(arena, all->list,
						    all->count,
						    sizeof(*all->list));
			all->list[all->count++] = s;
		}
	}
	return all;
}

const struct hpkm_candidates *hpkm_candidates(struct hpkm_item *item)
{
	const struct hpkm_anchor_symbol *s;
	struct run run = { 0 };
	size_t count;

	if (item->named)
		return item->named;
	run.first = hpkm_anchor_find(item->object->anchor, item->name, &count);
	run.end = count ? run.first + count : NULL;
	for (s = run.first; item->global && s < run.end; s++) {
		if (!s->global || !right_type(item, s) ||
		    !hpkm_anchor_is_meant(s, item->name))
			continue;
		run.first = s;
		run.end = s + 1;
	}
	item->named = select_from(item, &run);
	return item->named;
}

/* The anchor's symbols whose names begin as the item's does. */
static void find_run(const struct hpkm_item *item, struct run *run)
{
	const struct hpkm_anchor *a = item->object->anchor;
	size_t low = 0, high = a->symbol_count, length = run->base;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strncmp(a->symbols[mid].name, item->name, length) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	run->first = a->symbols + low;
	while (low < a->symbol_count &&
	       !strncmp(a->symbols[low].name, item->name, length))
		low++;
	run->end = a->symbols + low;
}

const struct hpkm_candidates *hpkm_candidates_numbered(struct hpkm_item *item)
{
	struct run run = { .base = hpkm_name_base(item->name) };

	if (item->numbered)
		return item->numbered;
	if (hpkm_item_numbered(item))
		find_run(item, &run);
	item->numbered = select_from(item, &run);
	return item->numbered;
}
