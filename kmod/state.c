// SPDX-License-Identifier: GPL-2.0
/*
 * The func_stacks of an address space, as an immutable snapshot.  Apply and
 * revert both make the next state from the present one; what has to be
 * written is the difference of the two (transition.c).
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "state.h"

/**
 * hpkm_place_alloc() - a patch that is about to be placed
 * @patch: gets referenced
 *
 * Return: One reference, addresses all 0; NULL without memory.
 */
struct hpkm_place *hpkm_place_alloc(struct hpkm_patch *patch)
{
	u32 externs = hpkm_patch_header(patch)->externs.count;
	u32 n = hpkm_patch_header(patch)->objects.count;
	struct hpkm_place *place;

	place = kzalloc(struct_size(place, at, n) + externs * sizeof(long),
			GFP_KERNEL);
	if (!place)
		return NULL;
	place->externs = (unsigned long *)&place->at[n];
	refcount_set(&place->refs, 1);
	place->patch = patch;
	hpkm_patch_get(patch);
	atomic_inc(&patch->places);
	return place;
}

void hpkm_place_put(struct hpkm_place *place)
{
	if (!place || !refcount_dec_and_test(&place->refs))
		return;
	atomic_dec(&place->patch->places);
	hpkm_patch_put(place->patch);
	kfree(place);
}

void hpkm_state_get(struct hpkm_state *state)
{
	refcount_inc(&state->refs);
}

/**
 * hpkm_state_put() - give up a reference
 * @state: may be NULL
 *
 * Context: Process context, may sleep; any mmap_lock may be held.
 */
void hpkm_state_put(struct hpkm_state *state)
{
	if (!state || !refcount_dec_and_test(&state->refs))
		return;
	for (u32 i = 0; i < state->place_count; i++)
		hpkm_place_put(state->places[i]);
	for (u32 i = 0; i < state->retiring_count; i++)
		hpkm_place_put(state->retiring[i]);
	kvfree(state->places);
	kvfree(state->retiring);
	kvfree(state->sites);
	kvfree(state->tables);
	kfree(state);
}

static int by_old_then_place(const void *a, const void *b)
{
	const struct hpkm_site *l = a, *r = b;

	if (l->old != r->old)
		return l->old < r->old ? -1 : 1;
	return l->place < r->place ? -1 : l->place > r->place;
}

static u64 func_reach(const struct hpkm_image_func *f)
{
	return max_t(u64, f->old_size, f->window_size);
}

/*
 * Two patches that replace one function must have been made from the same
 * old code: then the window of either is what the other expects, too.
 */
static bool same_old_code(const struct hpkm_image_func *a,
			  const struct hpkm_image_func *b)
{
	return a->old_size == b->old_size &&
	       a->window_size == b->window_size &&
	       !memcmp(a->window, b->window, sizeof(a->window)) &&
	       !memcmp(a->digest, b->digest, sizeof(a->digest));
}

/* Fold sorted versions into one site a function, the newest one active. */
static int fold_sites(struct hpkm_state *state, char *why, size_t why_size)
{
	struct hpkm_site *sites = state->sites;
	u32 count = 0;

	for (u32 i = 0; i < state->site_count; i++) {
		const struct hpkm_image_func *f, *last;
		struct hpkm_site *top = count ? &sites[count - 1] : NULL;

		f = hpkm_site_func(state, &sites[i]);
		last = top ? hpkm_site_func(state, top) : NULL;
		if (top && top->old == sites[i].old) {
			if (!same_old_code(f, last))
				goto disagree;
			*top = sites[i];
		} else if (top && top->old + func_reach(last) > sites[i].old) {
			goto disagree;
		} else {
			sites[count++] = sites[i];
		}
		continue;
disagree:
		snprintf(why, why_size,
			 "%s: patches %s and %s disagree about the old code",
			 hpkm_place_func_name(state->places[sites[i].place],
					      sites[i].func),
			 hpkm_patch_name(state->places[top->place]->patch),
			 hpkm_patch_name(state->places[sites[i].place]->patch));
		return -EINVAL;
	}
	state->site_count = count;
	return 0;
}

/* Sites that were there keep their slots.  Both lists are in order. */
static void keep_slots(struct hpkm_state *state, const struct hpkm_state *from)
{
	u32 k = 0;

	for (u32 i = 0; i < state->site_count; i++) {
		while (k < from->site_count &&
		       from->sites[k].old < state->sites[i].old)
			k++;
		if (k < from->site_count &&
		    from->sites[k].old == state->sites[i].old)
			state->sites[i].slot = from->sites[k].slot;
	}
}

/**
 * hpkm_state_of_places() - the state in which these patches are enabled
 * @from: the present state, NULL when nothing is patched
 * @places: the patches, oldest first, addresses known; each gets referenced
 * @count: how many
 * @why: gets the reason of an error
 * @why_size: bytes at @why
 *
 * Sites that are new have slot 0: the caller assigns it.
 *
 * Return: One reference; -EINVAL when patches contradict each other, -ENOMEM.
 */
struct hpkm_state *hpkm_state_of_places(const struct hpkm_state *from,
					struct hpkm_place **places, u32 count,
					char *why, size_t why_size)
{
	u32 old = from ? from->place_count + from->retiring_count : 0;
	struct hpkm_state *state = kzalloc(sizeof(*state), GFP_KERNEL);
	size_t versions = 0;
	struct hpkm_site *site;
	int ret = -ENOMEM;
	u32 i, k;

	if (!state)
		goto no_memory;
	refcount_set(&state->refs, 1);
	for (i = 0; i < count; i++)
		versions += hpkm_place_func_count(places[i]);
	/* One entry more, for kvmalloc of 0 entries is no error. */
	state->places = kvmalloc_array(count + 1, sizeof(*places), GFP_KERNEL);
	state->retiring = kvmalloc_array(old + 1, sizeof(*places), GFP_KERNEL);
	state->sites = kvcalloc(versions + 1, sizeof(*site), GFP_KERNEL);
	if (!state->places || !state->retiring || !state->sites)
		goto no_memory;

	site = state->sites;
	for (i = 0; i < count; i++) {
		state->places[i] = places[i];
		refcount_inc(&places[i]->refs);
		state->place_count++;
		for (k = 0; k < hpkm_place_func_count(places[i]); k++, site++) {
			site->old = hpkm_place_old(places[i], k);
			site->place = i;
			site->func = k;
		}
	}
	state->site_count = versions;
	sort(state->sites, versions, sizeof(*site), by_old_then_place, NULL);
	ret = fold_sites(state, why, why_size);
	if (ret)
		goto put;
	if (!from)
		return state;
	keep_slots(state, from);
	for (i = 0; i < from->table_count; i++) {
		ret = hpkm_state_add_table(state, from->tables[i].start,
					   from->tables[i].slots);
		if (ret)
			goto no_memory;
	}
	return state;

no_memory:
	snprintf(why, why_size, "out of kernel memory");
put:
	hpkm_state_put(state);
	return ERR_PTR(ret);
}

/**
 * hpkm_state_retire() - a place that this state does not have stays mapped
 * @state: about to be published
 * @place: of the state before it; gets referenced
 *
 * Context: Inside the stop.
 */
void hpkm_state_retire(struct hpkm_state *state, struct hpkm_place *place)
{
	refcount_inc(&place->refs);
	state->retiring[state->retiring_count++] = place;
}

/**
 * hpkm_state_add_table() - a state that is not published gets another table
 * @state: the state
 * @start: user address of the table
 * @slots: its number of slots
 *
 * Return: 0 or -ENOMEM.
 */
int hpkm_state_add_table(struct hpkm_state *state, unsigned long start,
			 u32 slots)
{
	struct hpkm_table *tables;

	tables = kvmalloc_array(state->table_count + 1, sizeof(*tables),
				GFP_KERNEL);
	if (!tables)
		return -ENOMEM;
	if (state->table_count)
		memcpy(tables, state->tables,
		       state->table_count * sizeof(*tables));
	tables[state->table_count].start = start;
	tables[state->table_count].slots = slots;
	kvfree(state->tables);
	state->tables = tables;
	state->table_count++;
	return 0;
}

/* The index of @patch's place, or -1.  @state may be NULL. */
int hpkm_state_find(const struct hpkm_state *state,
		    const struct hpkm_patch *patch)
{
	for (u32 i = 0; state && i < state->place_count; i++)
		if (state->places[i]->patch == patch)
			return i;
	return -1;
}

/* Is @place enabled in @state?  @state may be NULL. */
bool hpkm_state_has(const struct hpkm_state *state,
		    const struct hpkm_place *place)
{
	for (u32 i = 0; state && i < state->place_count; i++)
		if (state->places[i] == place)
			return true;
	return false;
}

/* The index of the place of the patch with this name, or -1. */
int hpkm_state_find_name(const struct hpkm_state *state, const char *name)
{
	for (u32 i = 0; state && i < state->place_count; i++)
		if (!strcmp(hpkm_patch_name(state->places[i]->patch), name))
			return i;
	return -1;
}

/* The site of the function at @old, or NULL.  @state may be NULL. */
const struct hpkm_site *hpkm_state_site(const struct hpkm_state *state,
					unsigned long old)
{
	u32 low = 0, high = state ? state->site_count : 0;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (state->sites[mid].old == old)
			return &state->sites[mid];
		if (state->sites[mid].old < old)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}
