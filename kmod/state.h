/* SPDX-License-Identifier: GPL-2.0 */
/* What is patched in an address space: a snapshot that never changes. */
#ifndef _HPKM_STATE_H
#define _HPKM_STATE_H

#include <linux/refcount.h>

#include "patch.h"

/**
 * struct hpkm_place - a patch in an address space, and in forked copies of it
 * @refs: one for each state that holds it
 * @patch: holds a reference
 * @externs: for each extern of the patch, the user address that it is bound to
 * @at: for each object of the patch, user addresses: where the object's base
 *	is, and where its span starts (0 for an object that is no anchor)
 */
struct hpkm_place {
	refcount_t refs;
	struct hpkm_patch *patch;
	unsigned long *externs;
	struct hpkm_place_at {
		unsigned long base;
		unsigned long span;
	} at[];
};

/**
 * struct hpkm_site - a func_stack: one old function that is patched
 * @old: address of its first instruction
 * @slot: address of its cell in an update table; 0 while none is assigned
 * @place: index of the place whose version is active
 * @func: index of that version in the patch's funcs
 *
 * Older versions are those that earlier places have for the same @old.
 */
struct hpkm_site {
	unsigned long old;
	unsigned long slot;
	u32 place;
	u32 func;
};

/**
 * struct hpkm_table - one mapping of an update table
 * @start: its address
 * @slots: how many it has
 */
struct hpkm_table {
	unsigned long start;
	u32 slots;
};

/**
 * struct hpkm_state - all that is patched in one address space
 * @refs: one for each table mapping that shows this state, and each user
 * @place_count: patches, oldest first: place i has stack_order i + 1
 * @site_count: func_stacks, in ascending order of @old
 * @table_count: update tables
 * @retiring_count: places that were reverted, but stay mapped, for a thread is
 *	in their code or may come there; set inside the stop that publishes the
 *	state
 * @retiring: of those, with room for as many as can be
 *
 * A state is built, published once (a pointer in the mapping of each update
 * table, see place.c) and never changed: forked children share it, a
 * transition replaces it.
 */
struct hpkm_state {
	refcount_t refs;
	u32 place_count;
	u32 site_count;
	u32 table_count;
	u32 retiring_count;
	struct hpkm_place **places;
	struct hpkm_place **retiring;
	struct hpkm_site *sites;
	struct hpkm_table *tables;
};

struct hpkm_place *hpkm_place_alloc(struct hpkm_patch *patch);
void hpkm_place_put(struct hpkm_place *place);

struct hpkm_state *hpkm_state_of_places(const struct hpkm_state *from,
					struct hpkm_place **places, u32 count,
					char *why, size_t why_size);
void hpkm_state_retire(struct hpkm_state *state, struct hpkm_place *place);
int hpkm_state_add_table(struct hpkm_state *state, unsigned long start,
			 u32 slots);
void hpkm_state_get(struct hpkm_state *state);
void hpkm_state_put(struct hpkm_state *state);

int hpkm_state_find(const struct hpkm_state *state,
		    const struct hpkm_patch *patch);
bool hpkm_state_has(const struct hpkm_state *state,
		    const struct hpkm_place *place);
int hpkm_state_find_name(const struct hpkm_state *state, const char *name);
const struct hpkm_site *hpkm_state_site(const struct hpkm_state *state,
					unsigned long old);

static inline const struct hpkm_image_func *
hpkm_place_func(const struct hpkm_place *place, u32 func)
{
	return &hpkm_image_funcs(place->patch->image)[func];
}

static inline u32 hpkm_place_func_count(const struct hpkm_place *place)
{
	return hpkm_patch_header(place->patch)->funcs.count;
}

static inline unsigned long hpkm_place_old(const struct hpkm_place *place,
					   u32 func)
{
	const struct hpkm_image_func *f = hpkm_place_func(place, func);

	return place->at[f->object].base + f->old_offset;
}

static inline unsigned long hpkm_place_new(const struct hpkm_place *place,
					   u32 func)
{
	const struct hpkm_image_func *f = hpkm_place_func(place, func);

	return place->at[f->object].span + f->new_offset;
}

static inline const char *hpkm_place_func_name(const struct hpkm_place *place,
					       u32 func)
{
	return hpkm_patch_string(place->patch,
				 hpkm_place_func(place, func)->name);
}

/* The active version of a site. */
static inline const struct hpkm_image_func *
hpkm_site_func(const struct hpkm_state *state, const struct hpkm_site *site)
{
	return hpkm_place_func(state->places[site->place], site->func);
}

static inline unsigned long hpkm_site_new(const struct hpkm_state *state,
					  const struct hpkm_site *site)
{
	return hpkm_place_new(state->places[site->place], site->func);
}

#endif /* _HPKM_STATE_H */
