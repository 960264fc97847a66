// SPDX-License-Identifier: GPL-2.0
/* Stage 1: the steps of a build, looked up by what they have left. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "steps.h"
#include "view.h"

static const struct hpkm_record *sorting;

static int compare_paths(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = strcmp(sorting->steps[x].output, sorting->steps[y].output);

	return order ? order : x < y ? -1 : x > y;
}

static int compare_identities(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = strcmp(sorting->steps[x].identity,
			   sorting->steps[y].identity);

	return order ? order : x < y ? -1 : x > y;
}

static int compare_sizes(const void *a, const void *b)
{
	const struct hpkm_steps_sized *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return x->step < y->step ? -1 : x->step > y->step;
}

static void index_steps(struct hpkm_steps *steps)
{
	struct hpkm_record *r = steps->record;
	struct stat st;

	steps->by_path = hpkm_arena_alloc(steps->arena, r->count,
					  sizeof(*steps->by_path));
	steps->by_identity = hpkm_arena_alloc(steps->arena, r->count,
					      sizeof(*steps->by_identity));
	steps->by_size = hpkm_arena_alloc(steps->arena, r->count,
					  sizeof(*steps->by_size));
	for (size_t i = 0; i < r->count; i++) {
		if (r->steps[i].kind != HPKM_DONE_OBJECT &&
		    r->steps[i].kind != HPKM_DONE_LINK)
			continue;
		steps->by_path[steps->path_count++] = i;
		if (r->steps[i].identity)
			steps->by_identity[steps->identity_count++] = i;
		if (r->steps[i].saved && !stat(r->steps[i].saved, &st))
			steps->by_size[steps->size_count++] =
				(struct hpkm_steps_sized){ st.st_size, i };
	}
	sorting = r;
	if (steps->path_count)
		qsort(steps->by_path, steps->path_count,
		      sizeof(*steps->by_path), compare_paths);
	if (steps->identity_count)
		qsort(steps->by_identity, steps->identity_count,
		      sizeof(*steps->by_identity), compare_identities);
	if (steps->size_count)
		qsort(steps->by_size, steps->size_count,
		      sizeof(*steps->by_size), compare_sizes);
}

/*
 * The assembler knows the name of a temporary file, or none; the step before
 * it, of the same command, knows the source.
 */
static void name_sources(struct hpkm_record *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct hpkm_done *step = &r->steps[i], *t;

		if (step->kind != HPKM_DONE_OBJECT)
			continue;
		for (size_t k = i; k--;) {
			t = &r->steps[k];
			if (t->kind != HPKM_DONE_TRANSLATE ||
			    t->driver != step->driver || !t->output ||
			    strcmp(t->output, step->source ? step->source : "-"))
				continue;
			if (t->source)
				step->source = t->source;
			step->lto |= t->lto;
			break;
		}
	}
}

void hpkm_steps_init(struct hpkm_steps *steps)
{
	name_sources(steps->record);
	index_steps(steps);
}

static bool inside(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && path[n] == '/';
}

const char *hpkm_steps_place(const struct hpkm_steps *steps, const char *path)
{
	return inside(path, steps->seen) ?
		hpkm_arena_printf(steps->arena, "%s%s", steps->tree,
				  path + strlen(steps->seen)) : path;
}

const char *hpkm_steps_name(const struct hpkm_steps *steps, const char *place)
{
	return inside(place, steps->tree) ?
		hpkm_arena_printf(steps->arena, "%s%s", steps->seen,
				  place + strlen(steps->tree)) : place;
}

const char *hpkm_steps_within(const struct hpkm_steps *steps, const char *path)
{
	return inside(path, steps->seen) ?
		path + strlen(steps->seen) + 1 : NULL;
}

struct hpkm_done *hpkm_steps_last_at(const struct hpkm_steps *steps,
				     const char *path, size_t bound)
{
	size_t low = 0, high = steps->path_count;
	struct hpkm_done *step;
	int order;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		size_t i = steps->by_path[mid];

		order = strcmp(steps->record->steps[i].output, path);
		if (order < 0 || (!order && i < bound))
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	step = &steps->record->steps[steps->by_path[low - 1]];
	return strcmp(step->output, path) ? NULL : step;
}

struct hpkm_done *hpkm_steps_moved(const struct hpkm_steps *steps,
				   const char *identity)
{
	size_t low = 0, high = steps->identity_count;
	struct hpkm_done *step;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		step = &steps->record->steps[steps->by_identity[mid]];
		if (strcmp(step->identity, identity) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	step = &steps->record->steps[steps->by_identity[low - 1]];
	return strcmp(step->identity, identity) ? NULL : step;
}

static bool same_content(const char *path, const uint8_t *bytes, size_t size)
{
	struct hpkm_view v = hpkm_view_open(path);
	bool same = v.bytes && v.size == size && !memcmp(v.bytes, bytes, size);

	hpkm_view_close(&v);
	return same;
}

struct hpkm_done *hpkm_steps_made(const struct hpkm_steps *steps,
				  const char *name, const uint8_t *bytes,
				  size_t size, size_t bound)
{
	struct hpkm_done *found = NULL, *step;
	size_t low = 0, high = steps->size_count;
	bool named = false, now;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (steps->by_size[mid].size < size)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < steps->size_count && steps->by_size[low].size == size;
	     low++) {
		if (steps->by_size[low].step >= bound)
			continue;
		step = &steps->record->steps[steps->by_size[low].step];
		now = !strcmp(basename(step->output), basename(name));
		if ((now || !named) && same_content(step->saved, bytes, size)) {
			found = step;
			named = now;
		}
	}
	return found;
}
