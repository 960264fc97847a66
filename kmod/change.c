// SPDX-License-Identifier: GPL-2.0
/*
 * What the step from one state of a target to the next writes (slots and
 * windows), and where no thread may be meanwhile.  Apply, revert and retire
 * differ only in the next state.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "arch/arch.h"
#include "change.h"

#define why(t, ...) snprintf((t)->why, sizeof((t)->why), __VA_ARGS__)

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

/**
 * hpkm_change_find_slots() - a slot for each function that has none
 * @t: added and to are known
 *
 * Context: Kernel worker, no mmap_lock held.
 * Return: 0, or an error and why.
 */
int hpkm_change_find_slots(struct hpkm_transition *t)
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
			 int (*visit)(void *data,
				      const struct hpkm_site *before,
				      const struct hpkm_site *after),
			 void *data)
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
			ret = visit(data, before, after);
		cond_resched();
	}
	return ret;
}

/* A slot that no site uses holds 0. */
static int arm_slot(void *data, const struct hpkm_site *before,
		    const struct hpkm_site *after)
{
	struct hpkm_transition *t = data;
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

static int arm_window(void *data, const struct hpkm_site *before,
		      const struct hpkm_site *after)
{
	struct hpkm_transition *t = data;
	const struct hpkm_state *state = after ? t->to : t->from;
	const struct hpkm_site *site = after ?: before;
	const struct hpkm_image_func *f = hpkm_site_func(state, site);
	const char *name = hpkm_place_func_name(state->places[site->place],
						site->func);
	bool is_armed = before && !hpkm_transition_lost(t, t->from, before);
	bool arm = after && !hpkm_transition_lost(t, t->to, after);
	u8 jump[HPKM_WINDOW_MAX];
	int ret;

	if (is_armed == arm)
		return 0;
	ret = hpkm_arch_trampoline(f, site->old, site->slot, jump);
	if (ret) {
		why(t, "%s: its slot is out of a jump's reach", name);
		return ret;
	}
	ret = hpkm_text_edit(&t->text, &t->target, site->old,
			     arm ? f->window : jump, arm ? jump : f->window,
			     f->window_size);
	if (ret == -EILSEQ && arm)
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

/* Is the jump at @after about to be written? */
static bool is_arming(const struct hpkm_transition *t,
		      const struct hpkm_site *before,
		      const struct hpkm_site *after)
{
	return after && !hpkm_transition_lost(t, t->to, after) &&
	       !(before && !hpkm_transition_lost(t, t->from, before));
}

/* ---- where no thread may be ---- */

/* The ranges while they are being made. */
struct making {
	struct hpkm_transition *t;
	bool bodies;
	u32 changes;
};

static void add_code(struct hpkm_transition *t, struct hpkm_range range)
{
	u8 code[HPKM_ARCH_CALL_MAX];

	if (!range.size && !range.window)
		return;
	/* What can't be read now may be one. */
	if ((range.body || range.removed >= 0) && range.size > sizeof(code))
		range.ends_in_call =
			hpkm_target_read(&t->target, range.start + range.size -
					 sizeof(code), code, sizeof(code)) ||
			hpkm_arch_ends_in_call(code);
	t->ranges.range[t->ranges.count++] = range;
}

static int count_change(void *data, const struct hpkm_site *before,
			const struct hpkm_site *after)
{
	struct making *m = data;

	m->changes++;
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
 *
 * If the old code loops back to its first instruction, nothing tells who has
 * just been called there, and who is farther inside would take the jump at its
 * next turn.  So nobody may be in it when the jump is written, whatever the
 * consistency; once it is, nobody is.
 */
static int add_old_body(void *data, const struct hpkm_site *before,
			const struct hpkm_site *after)
{
	const struct making *m = data;
	const struct hpkm_state *state = after ? m->t->to : m->t->from;
	const struct hpkm_site *site = after ?: before;
	const struct hpkm_image_func *f = hpkm_site_func(state, site);
	bool loops = f->flags & HPKM_FUNC_LOOPS &&
		     is_arming(m->t, before, after);

	/*
	 * A revert to it may find threads in it that an apply with ip
	 * consistency left there; they are where they shall be.
	 */
	add_code(m->t, (struct hpkm_range) {
		.start = site->old,
		.size = after ? f->old_size : 0,
		.window = before && after &&
			  !hpkm_transition_lost(m->t, m->t->from,
							 before) ?
			  0 : f->window_size,
		.body = m->bodies || loops,
		.entry_ok = !loops && (!m->bodies || m->changes == 1),
		.called_ok = !loops,
		.removed = -1,
		.func = hpkm_place_func_name(state->places[site->place],
					     site->func),
	});
	return 0;
}

/* What the compiler moved out of that body. */
static void add_parts(const struct making *m, const struct hpkm_place *p)
{
	const struct hpkm_image_part *part = hpkm_image_parts(p->patch->image);
	u32 n = hpkm_patch_header(p->patch)->parts.count;

	for (u32 i = 0; i < n; i++, part++) {
		const struct hpkm_image_func *f = hpkm_place_func(p, part->func);

		add_code(m->t, (struct hpkm_range) {
			.start = p->at[f->object].base + part->old_offset,
			.size = part->old_size,
			.body = m->bodies || f->flags & HPKM_FUNC_LOOPS,
			.removed = -1,
			.func = hpkm_place_func_name(p, part->func),
		});
	}
}

/* Where a function of an image begins, or something else. */
struct cut {
	unsigned long at;
	s64 func;		/* index, or one of those below */
};

/* In the order in which they come at one address, before a function. */
#define CUT_AFTER	(-3)	/* a function ends; then code of no func */
#define CUT_END		(-2)	/* a segment ends */
#define CUT_BEGIN	(-1)	/* a segment begins, with code of no func */

static int by_address(const void *a, const void *b)
{
	const struct cut *l = a, *r = b;

	if (l->at != r->at)
		return l->at < r->at ? -1 : 1;
	return l->func < r->func ? -1 : l->func > r->func;
}

/*
 * The code of a placed image, cut up into its functions, for a pointer to the
 * first instruction of one is no return address.  The rest of its last page is
 * no code: below programs at a fixed address many numbers would seem to lead
 * there.  For kvfree().
 */
static struct cut *cut_up(const struct hpkm_place *p, u32 *count)
{
	const struct hpkm_image_segment *s =
		hpkm_image_segments(p->patch->image);
	u32 n = hpkm_patch_header(p->patch)->segments.count, i;
	u32 funcs = hpkm_place_func_count(p);
	struct cut *cuts, *c;

	cuts = kvmalloc_array(2 * (funcs + n), sizeof(*cuts), GFP_KERNEL);
	if (!cuts)
		return NULL;
	c = cuts;
	for (i = 0; i < n; i++) {
		unsigned long start = p->at[s[i].object].span + s[i].mem_offset;

		if (!(s[i].prot & HPKM_PROT_EXEC))
			continue;
		*c++ = (struct cut) { start, CUT_BEGIN };
		*c++ = (struct cut) { start + s[i].data_size, CUT_END };
	}
	for (i = 0; i < funcs; i++) {
		unsigned long start = hpkm_place_new(p, i);

		*c++ = (struct cut) { start, i };
		*c++ = (struct cut) {
			start + hpkm_place_func(p, i)->new_size, CUT_AFTER
		};
	}
	*count = c - cuts;
	sort(cuts, *count, sizeof(*cuts), by_address, NULL);
	return cuts;
}

static void add_piece(const struct making *m, const struct hpkm_place *p,
		      const struct cut *cut, bool body, s32 removed)
{
	add_code(m->t, (struct hpkm_range) {
		.start = cut[0].at,
		.size = cut[1].at - cut[0].at,
		.body = body,
		.removed = removed,
		.func = cut->func >= 0 ? hpkm_place_func_name(p, cut->func) :
			hpkm_patch_name(p->patch),
	});
}

/* Is a version of an earlier patch, which stays mapped, replaced or bared? */
static bool is_replaced(const struct hpkm_transition *t,
			const struct hpkm_place *p, u32 func)
{
	unsigned long old = hpkm_place_old(p, func);
	const struct hpkm_site *before = hpkm_state_site(t->from, old);
	const struct hpkm_site *after = hpkm_state_site(t->to, old);
	unsigned long now;

	if (!after)
		return true;
	now = hpkm_site_new(t->to, after);
	return now != hpkm_place_new(p, func) &&
	       now != hpkm_site_new(t->from, before);
}

/*
 * A patch that stays: its versions that are replaced, and then all code that
 * is no func's, for it may be a part of such a version.
 */
static int add_versions(const struct making *m, const struct hpkm_place *p)
{
	u32 funcs = hpkm_place_func_count(p), count, i;
	struct cut *cuts;
	bool any = false;

	for (i = 0; i < funcs && !any; i++)
		any = is_replaced(m->t, p, i);
	if (!any)
		return 0;
	cuts = cut_up(p, &count);
	if (!cuts)
		return -ENOMEM;
	any = false;
	for (i = 0; i + 1 < count; i++) {
		/* Several functions may have one new version. */
		any |= cuts[i].func >= 0 && is_replaced(m->t, p, cuts[i].func);
		if (cuts[i].at == cuts[i + 1].at)
			continue;
		if (any || cuts[i].func == CUT_BEGIN ||
		    cuts[i].func == CUT_AFTER)
			add_piece(m, p, &cuts[i], m->bodies, -1);
		any = false;
	}
	kvfree(cuts);
	return 0;
}

/*
 * All code of a removed patch.  Nobody may be in any of it while functions
 * change: what else there is may call them.
 */
static int add_image(const struct making *m, const struct hpkm_place *p,
		     u32 removed, bool active)
{
	struct cut *cuts;
	u32 count, i;

	cuts = cut_up(p, &count);
	if (!cuts)
		return -ENOMEM;
	for (i = 0; i + 1 < count; i++)
		if (cuts[i].func != CUT_END)
			add_piece(m, p, &cuts[i],
				  active && m->bodies && m->changes, removed);
	kvfree(cuts);
	return 0;
}

static u64 room_for(const struct hpkm_place *place)
{
	const struct hpkm_image_header *h = hpkm_patch_header(place->patch);

	return 2 * ((u64)h->funcs.count + h->segments.count) + h->parts.count;
}

static int add_all(struct making *m)
{
	struct hpkm_transition *t = m->t;
	u32 places = t->from ? t->from->place_count : 0, i;
	int ret = 0;

	visit_changes(t, add_old_body, m);
	if (t->added)
		add_parts(m, t->added);
	for (i = 0; i < places && !ret; i++)
		if (hpkm_state_has(t->to, t->from->places[i]))
			ret = add_versions(m, t->from->places[i]);
	for (i = 0; i < t->removed_count && !ret; i++)
		ret = add_image(m, t->removed[i], i,
				hpkm_state_has(t->from, t->removed[i]));
	return ret;
}

static int make_ranges(struct hpkm_transition *t, bool bodies, u32 distance)
{
	struct making m = { .t = t, .bodies = bodies };
	u64 room = 1;
	u32 i;

	t->ranges.distance = distance;
	visit_changes(t, count_change, &m);
	room += m.changes;
	for (i = 0; t->from && i < t->from->place_count; i++)
		room += room_for(t->from->places[i]);
	for (i = 0; i < t->removed_count; i++)
		room += room_for(t->removed[i]);
	if (t->added)
		room += room_for(t->added);
	t->ranges.range = kvmalloc_array(room, sizeof(*t->ranges.range),
					 GFP_KERNEL);
	if (!t->ranges.range || add_all(&m)) {
		why(t, "out of kernel memory");
		return -ENOMEM;
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

/**
 * hpkm_change_arm() - prepare what the commit writes, and what it depends on
 * @t: from, to, added and removed are known; gets text and ranges
 * @bodies: nobody may be anywhere in an old version (stack consistency)
 * @distance: bytes, see struct hpkm_ranges
 *
 * Context: Kernel worker, no mmap_lock held.
 * Return: 0, or an error and why.
 */
int hpkm_change_arm(struct hpkm_transition *t, bool bodies, u32 distance)
{
	int ret;

	/* Both kinds are armed page by page, so one after the other. */
	ret = visit_changes(t, arm_slot, t);
	if (!ret)
		ret = visit_changes(t, arm_window, t);
	if (!ret)
		ret = make_ranges(t, bodies, distance);
	return ret;
}
