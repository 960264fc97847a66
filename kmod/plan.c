// SPDX-License-Identifier: GPL-2.0
/*
 * What a transition has to do: from the present state of a target and the one
 * it shall have follow the slots and windows to be written, and the code that
 * no thread may be in.  Apply and revert differ only in how they come by the
 * next state.
 *
 * A plan leaves the target as it was for its threads: what it maps is
 * VM_DONTCOPY and nobody knows of it, what it pins has the same bytes.
 */
#include <crypto/sha2.h>
#include <linux/bitmap.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "arch/arch.h"
#include "transition.h"

#define why(t, ...) snprintf((t)->why, sizeof((t)->why), __VA_ARGS__)

static void no_memory(struct hpkm_transition *t)
{
	why(t, "out of kernel memory");
}

/* What an errno of the earlier stages means for the outcome. */
static int outcome(struct hpkm_transition *t, int error)
{
	switch (error) {
	case 0:
		break;
	case -ESRCH:
		t->status = HPKM_STATUS_GONE;
		break;
	case -ENOMEM:
	case -ENODEV:
	case -EINTR:
		t->status = HPKM_STATUS_ERROR;
		break;
	default:
		t->status = HPKM_STATUS_REFUSED;
	}
	return error;
}

static int check_depends(struct hpkm_transition *t,
			 const struct hpkm_patch *patch)
{
	const __u32 *depends = hpkm_image_depends(patch->image);
	const struct hpkm_image_header *h = hpkm_patch_header(patch);

	if (h->flags & HPKM_IMAGE_REPLACE && h->depends.count) {
		why(t, "it depends on patches that it replaces");
		return -EINVAL;
	}
	for (u32 i = 0; i < hpkm_patch_header(patch)->depends.count; i++) {
		const char *name = hpkm_patch_string(patch, depends[i]);

		if (hpkm_state_find_name(t->from, name) < 0) {
			why(t, "depends on patch %s, which is not applied",
			    name);
			return -ENOENT;
		}
	}
	return 0;
}

/* A patch stays while another one that is kept depends on it. */
static int check_dependents(struct hpkm_transition *t, const char *name,
			    const struct hpkm_place *except)
{
	for (u32 i = 0; i < t->from->place_count; i++) {
		const struct hpkm_patch *other = t->from->places[i]->patch;
		const __u32 *depends = hpkm_image_depends(other->image);
		u32 n = hpkm_patch_header(other)->depends.count;

		if (t->from->places[i] == except)
			continue;
		for (u32 k = 0; k < n; k++) {
			if (strcmp(hpkm_patch_string(other, depends[k]), name))
				continue;
			why(t, "patch %s depends on it: revert that first",
			    hpkm_patch_name(other));
			return -EBUSY;
		}
	}
	return 0;
}

/* The old body must be what the patch was made from, byte for byte. */
static int check_body(struct hpkm_transition *t, const struct hpkm_place *place,
		      u32 func, void *buffer)
{
	const struct hpkm_image_func *f = hpkm_place_func(place, func);
	unsigned long old = hpkm_place_old(place, func);
	u8 digest[SHA256_DIGEST_SIZE];
	int ret;

	ret = hpkm_target_check_text(&t->target, old,
				     max_t(u64, f->old_size, f->window_size));
	if (ret) {
		why(t, "%s: not in executable private memory",
		    hpkm_place_func_name(place, func));
		return ret;
	}
	ret = hpkm_target_read(&t->target, old, buffer, f->old_size);
	if (ret) {
		why(t, "%s: its code can't be read",
		    hpkm_place_func_name(place, func));
		return ret;
	}
	sha256(buffer, f->old_size, digest);
	if (memcmp(digest, f->digest, sizeof(digest))) {
		why(t,
		    "%s: its code is not what the patch expects (a breakpoint, a probe or another patcher?)",
		    hpkm_place_func_name(place, func));
		return -EILSEQ;
	}
	return 0;
}

/* Those that are patched already were compared when they were. */
static int check_bodies(struct hpkm_transition *t,
			const struct hpkm_place *place)
{
	u32 n = hpkm_place_func_count(place), i;
	u64 longest = 0;
	void *buffer;
	int ret = 0;

	for (i = 0; i < n; i++)
		longest = max(longest, hpkm_place_func(place, i)->old_size);
	if (longest > SZ_64M) {
		why(t, "a function of %llu bytes", longest);
		return -E2BIG;
	}
	buffer = kvmalloc(longest, GFP_KERNEL);
	if (!buffer) {
		no_memory(t);
		return -ENOMEM;
	}
	for (i = 0; i < n && !ret; i++) {
		if (!hpkm_state_site(t->from, hpkm_place_old(place, i)))
			ret = check_body(t, place, i, buffer);
		cond_resched();
	}
	kvfree(buffer);
	return ret;
}

static void mark_slots(unsigned long *used, const struct hpkm_state *state,
		       const struct hpkm_table *table)
{
	for (u32 i = 0; state && i < state->site_count; i++) {
		unsigned long slot = state->sites[i].slot;

		if (slot >= table->start &&
		    slot < table->start + table->slots * sizeof(u64))
			__set_bit((slot - table->start) / sizeof(u64), used);
	}
}

/*
 * Give free slots of @table to sites of the object at @base that have none.  A
 * slot that this very transition frees is not free yet.
 */
static int assign_slots(struct hpkm_transition *t,
			const struct hpkm_table *table, unsigned long base,
			u64 size)
{
	unsigned long *used = bitmap_zalloc(table->slots, GFP_KERNEL);
	struct hpkm_state *state = t->to;
	unsigned long bit = 0;

	if (!used)
		return -ENOMEM;
	mark_slots(used, t->from, table);
	mark_slots(used, state, table);
	for (u32 i = 0; i < state->site_count; i++) {
		struct hpkm_site *site = &state->sites[i];

		if (site->slot || site->old < base || site->old - base >= size)
			continue;
		bit = find_next_zero_bit(used, table->slots, bit);
		if (bit >= table->slots)
			break;
		site->slot = table->start + bit * sizeof(u64);
		bit++;
	}
	bitmap_free(used);
	return 0;
}

static u32 sites_without_slot(const struct hpkm_state *state,
			      unsigned long base, u64 size)
{
	u32 count = 0;

	for (u32 i = 0; i < state->site_count; i++)
		if (!state->sites[i].slot && state->sites[i].old >= base &&
		    state->sites[i].old - base < size)
			count++;
	return count;
}

/* Slots for the new sites of one object: in tables that are there, or new. */
static int find_slots(struct hpkm_transition *t, unsigned long base, u64 size)
{
	struct hpkm_table table;
	int ret;

	for (u32 i = 0; i < t->to->table_count; i++) {
		if (!sites_without_slot(t->to, base, size))
			return 0;
		if (!hpkm_table_reaches(&t->to->tables[i], base, size))
			continue;
		ret = assign_slots(t, &t->to->tables[i], base, size);
		if (ret)
			return ret;
	}
	table.slots = sites_without_slot(t->to, base, size);
	if (!table.slots)
		return 0;
	ret = hpkm_table_map(&t->target, base, size, &table);
	if (ret)
		return ret;
	ret = hpkm_state_add_table(t->to, table.start, table.slots);
	if (ret) {
		hpkm_table_unmap(&t->target, &table);
		return ret;
	}
	return assign_slots(t, &table, base, size);
}

static int find_all_slots(struct hpkm_transition *t)
{
	const void *image = t->added->patch->image;
	const struct hpkm_image_object *o = hpkm_image_objects(image);

	for (u32 i = 0; i < hpkm_image_header(image)->objects.count; i++) {
		int ret = 0;

		if (o[i].role == HPKM_OBJECT_ANCHOR)
			ret = find_slots(t, t->added->at[i].base, o[i].size);
		if (ret) {
			why(t, "no update table near %s (error %d)",
			    hpkm_image_string(image, o[i].name), -ret);
			return ret;
		}
	}
	return 0;
}

/*
 * Call @visit for each function that has another active version afterwards,
 * in ascending order; a site that is not patched before or after is NULL.
 */
static int visit_changes(struct hpkm_transition *t,
			 int (*visit)(struct hpkm_transition *t,
				      const struct hpkm_site *before,
				      const struct hpkm_site *after))
{
	u32 had = t->from ? t->from->site_count : 0, has = t->to->site_count;
	u32 i = 0, k = 0;
	int ret = 0;

	while (!ret && (i < had || k < has)) {
		const struct hpkm_site *before, *after;

		before = i < had ? &t->from->sites[i] : NULL;
		after = k < has ? &t->to->sites[k] : NULL;
		if (before && after && before->old != after->old) {
			if (before->old < after->old)
				after = NULL;
			else
				before = NULL;
		}
		i += !!before;
		k += !!after;
		if (!before || !after || hpkm_site_new(t->from, before) !=
					 hpkm_site_new(t->to, after))
			ret = visit(t, before, after);
		cond_resched();
	}
	return ret;
}

/* A slot that no site uses holds 0. */
static int arm_slot(struct hpkm_transition *t, const struct hpkm_site *before,
		    const struct hpkm_site *after)
{
	unsigned long slot = after ? after->slot : before->slot;
	int ret;

	ret = hpkm_text_cell(&t->text, &t->target, slot,
			     before ? hpkm_site_new(t->from, before) : 0,
			     after ? hpkm_site_new(t->to, after) : 0);
	if (ret)
		why(t, "the update table's slot at 0x%lx %s", slot,
		    ret == -EILSEQ ? "was changed by the process" :
				     "can't be written");
	return ret;
}

static int arm_window(struct hpkm_transition *t,
		      const struct hpkm_site *before,
		      const struct hpkm_site *after)
{
	const struct hpkm_state *state = after ? t->to : t->from;
	const struct hpkm_site *site = after ?: before;
	const struct hpkm_image_func *f = hpkm_site_func(state, site);
	const char *name = hpkm_place_func_name(state->places[site->place],
						site->func);
	u8 jump[HPKM_WINDOW_MAX];
	int ret;

	if (before && after)
		return 0;
	ret = hpkm_arch_trampoline(f, site->old, site->slot, jump);
	if (ret) {
		why(t, "%s: its slot is out of a jump's reach", name);
		return ret;
	}
	ret = hpkm_text_edit(&t->text, &t->target, site->old,
			     after ? f->window : jump,
			     after ? jump : f->window, f->window_size);
	if (ret == -EILSEQ && after)
		why(t,
		    "%s: its first bytes are not what the patch expects (a breakpoint, a probe or another patcher?)",
		    name);
	else if (ret == -EILSEQ)
		why(t, "%s: the jump at its start was overwritten", name);
	else if (ret)
		why(t, "%s: its page can't be made private (error %d)", name,
		    -ret);
	return ret;
}

static int count_change(struct hpkm_transition *t,
			const struct hpkm_site *before,
			const struct hpkm_site *after)
{
	t->ranges.changes++;
	return 0;
}

/*
 * The old body: nobody may be in it when its version or its bytes change.
 *
 * A thread at its first instruction takes whatever way leads from there after
 * the switch.  That is safe when it was called from code that stays; but a
 * version of another changed function may have jumped there (a tail call
 * leaves no return address) with arguments as only that version means them.
 * So with stack consistency and several functions it blocks, unless the code
 * at its return address is seen to call just this function.
 */
static int add_old_body(struct hpkm_transition *t,
			const struct hpkm_site *before,
			const struct hpkm_site *after)
{
	const struct hpkm_state *state = after ? t->to : t->from;
	const struct hpkm_site *site = after ?: before;
	const struct hpkm_image_func *f = hpkm_site_func(state, site);

	/*
	 * A revert to it may find threads in it that an apply with ip
	 * consistency left there; they are where they shall be.
	 */
	t->ranges.range[t->ranges.count++] = (struct hpkm_range) {
		.start = site->old,
		.size = after ? f->old_size : 0,
		.window = before && after ? 0 : f->window_size,
		.entry_ok = !t->ranges.bodies || t->ranges.changes == 1,
		.called_ok = true,
		.func = hpkm_place_func_name(state->places[site->place],
					     site->func),
	};
	return 0;
}

/* What the compiler moved out of that body. */
static void add_parts(struct hpkm_transition *t, const struct hpkm_place *p)
{
	const struct hpkm_image_part *part = hpkm_image_parts(p->patch->image);
	u32 n = hpkm_patch_header(p->patch)->parts.count;

	for (u32 i = 0; i < n; i++, part++) {
		const struct hpkm_image_func *f = hpkm_place_func(p, part->func);

		t->ranges.range[t->ranges.count++] = (struct hpkm_range) {
			.start = p->at[f->object].base + part->old_offset,
			.size = part->old_size,
			.func = hpkm_place_func_name(p, part->func),
		};
	}
}

static bool is_kept(const struct hpkm_transition *t, u32 place)
{
	return hpkm_state_find(t->to, t->from->places[place]->patch) >= 0;
}

/* Versions of earlier patches that stay mapped, but are replaced or bared. */
static void add_versions(struct hpkm_transition *t, u32 place)
{
	const struct hpkm_place *p = t->from->places[place];

	for (u32 i = 0; i < hpkm_place_func_count(p); i++) {
		unsigned long old = hpkm_place_old(p, i);
		unsigned long new = hpkm_place_new(p, i);
		const struct hpkm_site *before, *after;

		before = hpkm_state_site(t->from, old);
		after = hpkm_state_site(t->to, old);
		if (after && (hpkm_site_new(t->to, after) == new ||
			      hpkm_site_new(t->to, after) ==
			      hpkm_site_new(t->from, before)))
			continue;
		t->ranges.range[t->ranges.count++] = (struct hpkm_range) {
			.start = new,
			.size = hpkm_place_func(p, i)->new_size,
			.func = hpkm_place_func_name(p, i),
		};
	}
}

/* All code of a patch that goes. */
static void add_image_text(struct hpkm_transition *t, u32 place)
{
	const struct hpkm_place *p = t->from->places[place];
	const void *image = p->patch->image;
	const struct hpkm_image_segment *s = hpkm_image_segments(image);

	for (u32 i = 0; i < hpkm_image_header(image)->segments.count; i++) {
		if (!(s[i].prot & HPKM_PROT_EXEC))
			continue;
		t->ranges.range[t->ranges.count++] = (struct hpkm_range) {
			.start = p->at[s[i].object].span + s[i].mem_offset,
			.size = s[i].mem_size,
			.unmap = true,
			.func = hpkm_patch_name(p->patch),
		};
	}
}

static int make_ranges(struct hpkm_transition *t,
		       enum hpkm_consistency consistency, u32 distance)
{
	u32 places = t->from ? t->from->place_count : 0, i;
	u64 room;

	t->ranges.bodies = consistency == HPKM_CONSISTENCY_STACK;
	t->ranges.distance = distance;
	visit_changes(t, count_change);
	room = t->ranges.changes;
	for (i = 0; i < places; i++) {
		const struct hpkm_image_header *h =
			hpkm_patch_header(t->from->places[i]->patch);

		room += h->funcs.count + h->segments.count;
	}
	if (t->added)
		room += hpkm_patch_header(t->added->patch)->parts.count;
	t->ranges.range = kvmalloc_array(room + 1, sizeof(*t->ranges.range),
					 GFP_KERNEL);
	if (!t->ranges.range) {
		no_memory(t);
		return -ENOMEM;
	}
	visit_changes(t, add_old_body);
	if (t->added)
		add_parts(t, t->added);
	for (i = 0; i < places; i++) {
		if (is_kept(t, i))
			add_versions(t, i);
		else
			add_image_text(t, i);
	}
	hpkm_ranges_finish(&t->ranges);
	for (i = 1; i < t->ranges.count; i++) {
		const struct hpkm_range *r = &t->ranges.range[i - 1];

		if (r->start + r->size <= r[1].start)
			continue;
		why(t, "%s and %s overlap in the process", r->func, r[1].func);
		return -EINVAL;
	}
	return 0;
}

/* Both kinds are armed page by page, so one after the other. */
static int arm(struct hpkm_transition *t, enum hpkm_consistency consistency,
	       u32 distance)
{
	int ret;

	ret = visit_changes(t, arm_slot);
	if (!ret)
		ret = visit_changes(t, arm_window);
	if (!ret)
		ret = make_ranges(t, consistency, distance);
	return ret;
}

/* Map the image of @patch, and make the state in which it is enabled. */
static int place_patch(struct hpkm_transition *t, struct hpkm_patch *patch)
{
	bool replace = hpkm_patch_header(patch)->flags & HPKM_IMAGE_REPLACE;
	struct hpkm_place *place = hpkm_place_alloc(patch);
	struct hpkm_state *to;
	int ret;

	if (!place) {
		no_memory(t);
		return -ENOMEM;
	}
	ret = hpkm_target_resolve(&t->target, place, t->why, sizeof(t->why));
	if (!ret)
		ret = hpkm_bindings_resolve(&t->target, t->bindings, place,
					    t->why, sizeof(t->why));
	if (!ret)
		ret = check_bodies(t, place);
	if (!ret)
		ret = hpkm_place_map(&t->target, place, t->why,
				     sizeof(t->why));
	if (ret)
		goto put;
	to = hpkm_state_with(t->from, place, replace, t->why, sizeof(t->why));
	if (IS_ERR(to)) {
		ret = PTR_ERR(to);
		hpkm_place_unmap(&t->target, place);
		goto put;
	}
	t->to = to;
	t->added = place;
put:
	/* t->to holds a reference of its own. */
	hpkm_place_put(place);
	return ret;
}

/**
 * hpkm_plan_apply() - plan to enable a patch
 * @t: its target is claimed; gets the plan, or status and why
 * @patch: the patch
 * @consistency: what must hold of threads
 * @distance: bytes, see struct hpkm_ranges
 *
 * Context: Kernel worker, no mmap_lock held.
 * Return: 0 with a plan; 1 when there is nothing to do (status says so);
 * an error (status says what kind), after which the target is as before.
 */
int hpkm_plan_apply(struct hpkm_transition *t, struct hpkm_patch *patch,
		    enum hpkm_consistency consistency, u32 distance)
{
	int ret;

	t->from = hpkm_state_of(t->target.mm);
	if (hpkm_state_find(t->from, patch) >= 0) {
		t->status = HPKM_STATUS_ALREADY;
		hpkm_plan_abandon(t);
		return 1;
	}
	ret = check_depends(t, patch);
	if (!ret)
		ret = place_patch(t, patch);
	if (!ret)
		ret = find_all_slots(t);
	if (!ret)
		ret = arm(t, consistency, distance);
	if (ret)
		hpkm_plan_abandon(t);
	return outcome(t, ret);
}

/**
 * hpkm_plan_revert() - plan to take a patch out again
 * @t: its target is claimed; gets the plan, or status and why
 * @name: of the patch
 * @distance: bytes, see struct hpkm_ranges
 *
 * Always with stack consistency: the code of the patch is unmapped.
 *
 * Context: Kernel worker, no mmap_lock held.
 * Return: as hpkm_plan_apply().
 */
int hpkm_plan_revert(struct hpkm_transition *t, const char *name, u32 distance)
{
	int place, ret;

	t->from = hpkm_state_of(t->target.mm);
	place = hpkm_state_find_name(t->from, name);
	if (place < 0) {
		t->status = HPKM_STATUS_ALREADY;
		hpkm_plan_abandon(t);
		return 1;
	}
	ret = check_dependents(t, name, t->from->places[place]);
	if (!ret) {
		t->to = hpkm_state_without(t->from, place, t->why,
					   sizeof(t->why));
		ret = PTR_ERR_OR_ZERO(t->to);
		if (ret)
			t->to = NULL;
	}
	if (!ret)
		ret = arm(t, HPKM_CONSISTENCY_STACK, distance);
	if (ret)
		hpkm_plan_abandon(t);
	return outcome(t, ret);
}

static void release(struct hpkm_transition *t)
{
	hpkm_text_release(&t->text);
	kvfree(t->ranges.range);
	memset(&t->ranges, 0, sizeof(t->ranges));
	hpkm_state_put(t->to);
	hpkm_state_put(t->from);
	t->to = NULL;
	t->from = NULL;
	t->added = NULL;
}

/**
 * hpkm_plan_abandon() - undo a plan that was not committed, whole or in part
 * @t: its target is claimed
 *
 * Context: Kernel worker, no mmap_lock held.
 */
void hpkm_plan_abandon(struct hpkm_transition *t)
{
	u32 i = t->from ? t->from->table_count : 0;

	for (; t->to && i < t->to->table_count; i++)
		hpkm_table_unmap(&t->target, &t->to->tables[i]);
	if (t->added)
		hpkm_place_unmap(&t->target, t->added);
	release(t);
}

/**
 * hpkm_plan_complete() - clean up after a commit
 * @t: its target is claimed; nobody is in code that has gone
 *
 * Context: Kernel worker, no mmap_lock held.
 */
void hpkm_plan_complete(struct hpkm_transition *t)
{
	struct hpkm_state *from = t->from;
	u32 i;

	hpkm_text_release(&t->text);
	for (i = 0; from && i < from->place_count; i++)
		if (!is_kept(t, i))
			hpkm_place_unmap(&t->target, from->places[i]);
	if (!t->to->place_count)
		for (i = 0; i < t->to->table_count; i++)
			hpkm_table_unmap(&t->target, &t->to->tables[i]);
	/* What the mappings of the tables referred to until the commit. */
	for (i = 0; from && i < from->table_count; i++)
		hpkm_state_put(from);
	release(t);
}
