// SPDX-License-Identifier: GPL-2.0
/*
 * What a transition has to do: the next state of a target.  What has to be
 * written and where no thread may be follows from it, see change.c.
 *
 * A plan leaves the target as it was for its threads: what it maps is
 * VM_DONTCOPY and nobody knows of it, what it pins has the same bytes.
 */
#include <crypto/sha2.h>
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "change.h"

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

/* ---- code that has gone from under a patch ---- */

/*
 * Is the object that @place was made for mapped where it was?  Or an error, and
 * why: it must not be taken for gone because a page of it can't be had, or
 * because the process has ended whose memory another one uses still.
 */
static int is_mapped(struct hpkm_transition *t, u32 place, u32 object)
{
	const struct hpkm_place *p = t->from->places[place];
	const struct hpkm_image_object *o =
		&hpkm_image_objects(p->patch->image)[object];
	int ret = hpkm_target_is_at(&t->target, o, p->at[object].base);

	if (ret == -ESRCH)
		why(t, "the process ended, or runs another program");
	else if (ret < 0)
		why(t, "%s: it can't be read now whether it is mapped still (error %d)",
		    hpkm_patch_string(p->patch, o->name), -ret);
	return ret;
}

/*
 * An object that was unmapped and mapped again has its own bytes where there
 * were jumps: at all active sites, else somebody wrote there.
 */
static bool is_fresh(const struct hpkm_transition *t, u32 place, u32 object)
{
	u8 bytes[HPKM_WINDOW_MAX];
	bool any = false;

	for (u32 i = 0; i < t->from->site_count; i++) {
		const struct hpkm_site *site = &t->from->sites[i];
		const struct hpkm_image_func *f = hpkm_site_func(t->from, site);

		if (site->place != place || f->object != object)
			continue;
		if (hpkm_target_read(&t->target, site->old, bytes,
				     f->window_size) ||
		    memcmp(bytes, f->window, f->window_size))
			return false;
		any = true;
	}
	return any;
}

/*
 * A library may have been closed, and perhaps opened again: the jumps into a
 * patch went with it.
 */
static int find_lost(struct hpkm_transition *t)
{
	u32 places = t->from ? t->from->place_count : 0, i, k;

	if (!places)
		return 0;
	t->lost = kvcalloc(places, sizeof(*t->lost), GFP_KERNEL);
	if (!t->lost) {
		no_memory(t);
		return -ENOMEM;
	}
	for (i = 0; i < places; i++) {
		const void *image = t->from->places[i]->patch->image;
		const struct hpkm_image_object *o = hpkm_image_objects(image);
		u32 n = hpkm_image_header(image)->objects.count;

		for (k = 0; k < n; k++) {
			int ret;

			if (o[k].role != HPKM_OBJECT_ANCHOR)
				continue;
			ret = is_mapped(t, i, k);
			if (ret < 0)
				return ret;
			if (!ret || is_fresh(t, i, k))
				__set_bit(k, t->lost[i].objects);
		}
		cond_resched();
	}
	return 0;
}

static bool any_lost(const struct hpkm_transition *t, u32 place)
{
	return !bitmap_empty(t->lost[place].objects, HPKM_OBJECTS_MAX);
}

/* Nothing of this patch is in effect any more. */
static bool all_lost(const struct hpkm_transition *t, u32 place)
{
	const void *image = t->from->places[place]->patch->image;
	const struct hpkm_image_object *o = hpkm_image_objects(image);

	for (u32 i = 0; i < hpkm_image_header(image)->objects.count; i++)
		if (o[i].role == HPKM_OBJECT_ANCHOR &&
		    !test_bit(i, t->lost[place].objects))
			return false;
	return true;
}

/* ---- the next state ---- */

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
		int place = hpkm_state_find_name(t->from, name);

		if (place < 0 || all_lost(t, place)) {
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
		unsigned long old = hpkm_place_old(place, i);
		const struct hpkm_site *site = hpkm_state_site(t->from, old);

		if (!site || hpkm_transition_lost(t, t->from, site))
			ret = check_body(t, place, i, buffer);
		cond_resched();
	}
	kvfree(buffer);
	return ret;
}

/* Is a place of the present state in the next one, too? */
static bool is_kept(const struct hpkm_transition *t, u32 place,
		    const struct hpkm_patch *except, bool replace)
{
	return !replace && t->from->places[place]->patch != except &&
	       !all_lost(t, place);
}

/*
 * The next state: the present patches but @except (all, with @replace), and
 * t->added.
 */
static int make_state(struct hpkm_transition *t,
		      const struct hpkm_patch *except, bool replace)
{
	u32 had = t->from ? t->from->place_count : 0, count = 0, i;
	u32 retiring = t->from ? t->from->retiring_count : 0;
	struct hpkm_place **places;
	struct hpkm_state *to;
	int ret = -ENOMEM;

	places = kvmalloc_array(had + 1, sizeof(*places), GFP_KERNEL);
	t->removed = kvmalloc_array(had + retiring + 1, sizeof(*places),
				    GFP_KERNEL);
	t->kept = kvcalloc(had + retiring + 1, sizeof(*t->kept), GFP_KERNEL);
	if (!places || !t->removed || !t->kept) {
		no_memory(t);
		goto out;
	}
	for (i = 0; i < had; i++) {
		if (is_kept(t, i, except, replace))
			places[count++] = t->from->places[i];
		else
			t->removed[t->removed_count++] = t->from->places[i];
	}
	for (i = 0; i < retiring; i++)
		t->removed[t->removed_count++] = t->from->retiring[i];
	if (t->added)
		places[count++] = t->added;
	to = hpkm_state_of_places(t->from, places, count, t->why,
				  sizeof(t->why));
	ret = PTR_ERR_OR_ZERO(to);
	if (!ret)
		t->to = to;
out:
	kvfree(places);
	return ret;
}

/* Map the image of @patch, and make the state in which it is enabled. */
static int place_patch(struct hpkm_transition *t, struct hpkm_patch *patch)
{
	bool replace = hpkm_patch_header(patch)->flags & HPKM_IMAGE_REPLACE;
	struct hpkm_place *place = hpkm_place_alloc(patch);
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
	t->added = place;
	ret = make_state(t, patch, replace);
	if (ret) {
		hpkm_place_unmap(&t->target, place);
		t->added = NULL;
	}
put:
	/* t->to holds a reference of its own. */
	hpkm_place_put(place);
	return ret;
}

static int begin(struct hpkm_transition *t)
{
	static atomic_t plans;

	t->plan = atomic_inc_return(&plans);
	t->from = hpkm_state_of(t->target.mm);
	return find_lost(t);
}

static int end(struct hpkm_transition *t, int ret)
{
	if (ret)
		hpkm_plan_abandon(t);
	return outcome(t, ret);
}

/* There is nothing to do. */
static int already(struct hpkm_transition *t)
{
	t->status = HPKM_STATUS_ALREADY;
	hpkm_plan_abandon(t);
	return 1;
}

/**
 * hpkm_plan_apply() - plan to enable a patch
 * @t: its target is claimed; gets the plan, or status and why
 * @patch: the patch
 * @bodies: nobody may be in an old version (stack consistency)
 * @distance: bytes, see struct hpkm_ranges
 *
 * Context: Kernel worker, no mmap_lock held.
 * Return: 0 with a plan; 1 when there is nothing to do (status says so);
 * an error (status says what kind), after which the target is as before.
 */
int hpkm_plan_apply(struct hpkm_transition *t, struct hpkm_patch *patch,
		    bool bodies, u32 distance)
{
	int ret = begin(t), place;

	if (!ret) {
		place = hpkm_state_find(t->from, patch);
		if (place >= 0 && !any_lost(t, place))
			return already(t);
		ret = check_depends(t, patch);
	}
	if (!ret)
		ret = place_patch(t, patch);
	if (!ret)
		ret = hpkm_change_find_slots(t);
	if (!ret)
		ret = hpkm_change_arm(t, bodies, distance);
	return end(t, ret);
}

/**
 * hpkm_plan_revert() - plan to take a patch out again
 * @t: its target is claimed; gets the plan, or status and why
 * @name: of the patch
 * @bodies: nobody may be in its code (stack consistency)
 * @distance: bytes, see struct hpkm_ranges
 *
 * Context: Kernel worker, no mmap_lock held.
 * Return: as hpkm_plan_apply().
 */
int hpkm_plan_revert(struct hpkm_transition *t, const char *name, bool bodies,
		     u32 distance)
{
	int ret = begin(t), place;

	if (!ret) {
		place = hpkm_state_find_name(t->from, name);
		if (place < 0)
			return already(t);
		ret = check_dependents(t, name, t->from->places[place]);
	}
	if (!ret)
		ret = make_state(t, t->from->places[place]->patch, false);
	if (!ret)
		ret = hpkm_change_arm(t, bodies, distance);
	return end(t, ret);
}

/**
 * hpkm_plan_retire() - plan to unmap what was reverted while in use
 * @t: its target is claimed; gets the plan, or status and why
 *
 * Context: Kernel worker, no mmap_lock held.
 * Return: as hpkm_plan_apply().
 */
int hpkm_plan_retire(struct hpkm_transition *t)
{
	int ret = begin(t);

	if (!ret && (!t->from || !t->from->retiring_count))
		return already(t);
	if (!ret)
		ret = make_state(t, NULL, false);
	if (!ret)
		ret = hpkm_change_arm(t, false, 0);
	return end(t, ret);
}

static void release(struct hpkm_transition *t)
{
	hpkm_text_release(&t->text);
	kvfree(t->ranges.range);
	memset(&t->ranges, 0, sizeof(t->ranges));
	kvfree(t->removed);
	kvfree(t->kept);
	kvfree(t->lost);
	t->removed = NULL;
	t->kept = NULL;
	t->lost = NULL;
	t->removed_count = 0;
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
 * Return: Something that was reverted is still mapped.
 */
bool hpkm_plan_complete(struct hpkm_transition *t)
{
	struct hpkm_state *from = t->from;
	bool retiring = t->to->retiring_count;
	u32 i;

	hpkm_text_release(&t->text);
	for (i = 0; i < t->removed_count; i++)
		if (!t->kept[i])
			hpkm_place_unmap(&t->target, t->removed[i]);
	if (!t->to->place_count && !retiring)
		for (i = 0; i < t->to->table_count; i++)
			hpkm_table_unmap(&t->target, &t->to->tables[i]);
	/* What the mappings of the tables referred to until the commit. */
	for (i = 0; from && i < from->table_count; i++)
		hpkm_state_put(from);
	release(t);
	return retiring;
}
