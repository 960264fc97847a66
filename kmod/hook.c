// SPDX-License-Identifier: GPL-2.0
/*
 * Between stages 9 and 10 of a revert: the patch's revert hooks.
 *
 * They run in the target, in the next thread that calls a function of the
 * patch.  Here a revert is made known to the code that runs them, waited for,
 * and taken back; include/hpkm/hook.h has the words and who changes them when.
 *
 * The words are the target's own memory: whatever is read there only decides
 * whether hooks of the target run, never what the module itself may do.
 */
#include <hpkm/hook.h>
#include <linux/mm.h>

#include "compat.h"
#include "hook.h"
#include "transition.h"

#define why(t, ...) snprintf((t)->why, sizeof((t)->why), __VA_ARGS__)

static_assert(HPKM_HOOK_PENDING == (int)HPKM_HOOK_STATE_PENDING &&
	      HPKM_HOOK_APPLYING == (int)HPKM_HOOK_STATE_APPLYING &&
	      HPKM_HOOK_READY == (int)HPKM_HOOK_STATE_READY &&
	      HPKM_HOOK_WANTED == (int)HPKM_HOOK_STATE_WANTED &&
	      HPKM_HOOK_REVERTING == (int)HPKM_HOOK_STATE_REVERTING &&
	      HPKM_HOOK_REVERTED == (int)HPKM_HOOK_STATE_REVERTED);

static unsigned long state_address(const struct hpkm_place *place,
				   const struct hpkm_image_hook *hook)
{
	return place->at[hook->object].span + hook->state;
}

static unsigned long control_address(const struct hpkm_place *place,
				     const struct hpkm_image_hook *hook)
{
	return place->at[hook->object].span + hook->control;
}

/* A word of the target, its page pinned for writing. */
struct word {
	struct page *page;
	unsigned long *at;
};

static int pin_word(const struct hpkm_target *target,
		    const struct hpkm_place *place, unsigned long address,
		    struct word *word)
{
	int ret = -EFAULT;

	mmap_read_lock(target->mm);
	/* Not into what the process may have put there instead. */
	if (hpkm_place_intact(target->mm, place) &&
	    !hpkm_target_pin(target, address, 0, &word->page))
		ret = 0;
	mmap_read_unlock(target->mm);
	if (!ret)
		word->at = page_address(word->page) + offset_in_page(address);
	return ret;
}

static void unpin_word(struct word *word)
{
	unpin_user_pages_dirty_lock(&word->page, 1, true);
}

/*
 * What the target's threads will take a state for: a hook that fork cut off
 * has not run, and a revert that is not wanted any more is none.
 */
static u64 effective_state(u64 state, u64 owner, u64 want)
{
	switch (state) {
	case HPKM_HOOK_APPLYING:
	case HPKM_HOOK_REVERTING:
		return owner ? state : HPKM_HOOK_PENDING;
	case HPKM_HOOK_WANTED:
		return want ? state : HPKM_HOOK_READY;
	case HPKM_HOOK_REVERTED:
		return want ? state : HPKM_HOOK_PENDING;
	}
	return state;
}

/**
 * hpkm_hook_state() - how far an object's hooks are
 * @target: opened
 * @place: a patch in it
 * @object: index of the object
 * @state: gets enum hpkm_hook_state, or another number when the target has
 *	overwritten it
 *
 * Context: Process context, no mmap_lock held.
 * Return: false when it has none, or the memory can't be read.
 */
bool hpkm_hook_state(const struct hpkm_target *target,
		     const struct hpkm_place *place, u32 object, u32 *state)
{
	const void *image = place->patch->image;
	const struct hpkm_image_hook *hook = hpkm_image_hooks(image);
	u32 n = hpkm_image_header(image)->hooks.count;
	u64 value, control[2];

	for (u32 i = 0; i < n; i++, hook++) {
		if (hook->object != object)
			continue;
		if (hpkm_target_read(target, state_address(place, hook),
				     &value, sizeof(value)) ||
		    hpkm_target_read(target, control_address(place, hook),
				     control, sizeof(control)))
			return false;
		value = effective_state(value,
					control[HPKM_HOOK_OWNER / sizeof(u64)],
					control[HPKM_HOOK_WANT / sizeof(u64)]);
		*state = min_t(u64, value, U32_MAX - 1);
		return true;
	}
	return false;
}

/**
 * hpkm_hook_pending() - are there apply hooks that have not been started?
 * @target: opened
 * @place: a patch in it
 *
 * Context: Process context, no mmap_lock held.
 */
bool hpkm_hook_pending(const struct hpkm_target *target,
		       const struct hpkm_place *place)
{
	const void *image = place->patch->image;
	const struct hpkm_image_hook *hook = hpkm_image_hooks(image);
	u32 n = hpkm_image_header(image)->hooks.count, state;

	for (u32 i = 0; i < n; i++)
		if (hook[i].flags & HPKM_HOOK_APPLY &&
		    hpkm_hook_state(target, place, hook[i].object, &state) &&
		    state == HPKM_HOOK_PENDING)
			return true;
	return false;
}

/* Can a call lead into this object's part of the patch, to run the hook? */
static bool is_called(const struct hpkm_state *state, u32 place, u32 object)
{
	for (u32 i = 0; i < state->site_count; i++)
		if (state->sites[i].place == place &&
		    hpkm_site_func(state, &state->sites[i])->object == object)
			return true;
	return false;
}

/* Return: 0 it need not be waited for, 1 it must, or an error. */
static int want_one(struct hpkm_transition *t, const struct hpkm_place *place,
		    const struct hpkm_image_hook *hook)
{
	struct word state, want;
	unsigned long value;
	int ret;

	ret = pin_word(&t->target, place, state_address(place, hook), &state);
	if (ret)
		return ret;
	value = READ_ONCE(*state.at);
	if (value != HPKM_HOOK_PENDING) {
		ret = pin_word(&t->target, place, control_address(place, hook) +
			       HPKM_HOOK_WANT, &want);
		if (ret)
			goto unpin;
		WRITE_ONCE(*want.at, 1);
		t->hook_wanted = true;
		/* Orders the two: who sees WANTED sees "wanted", too. */
		if (cmpxchg(state.at, HPKM_HOOK_READY, HPKM_HOOK_WANTED) ==
		    HPKM_HOOK_READY)
			value = HPKM_HOOK_WANTED;
		else
			value = READ_ONCE(*state.at);
		unpin_word(&want);
	}
	t->hook_state = value;
	ret = value != HPKM_HOOK_PENDING && value != HPKM_HOOK_REVERTED;
	if (value > HPKM_HOOK_REVERTED)
		ret = -EILSEQ;
unpin:
	unpin_word(&state);
	return ret;
}

/**
 * hpkm_hook_want() - have the revert hooks of a patch run
 * @t: its target is claimed; gets status and why of a refusal
 * @name: of the patch that is to be reverted
 *
 * To be called again until it does not return 1, and again before each stop:
 * the target may have gone back to an earlier state.
 *
 * Context: Kernel worker, no mmap_lock held.
 * Return: 0 when all have run, or need not; 1 when one has not yet; an error.
 */
int hpkm_hook_want(struct hpkm_transition *t, const char *name)
{
	struct hpkm_state *state = hpkm_state_of(t->target.mm);
	int place = hpkm_state_find_name(state, name), ret = 0;
	const struct hpkm_image_hook *hook;
	u32 n;

	/* The process has ended, or it is not there: the plan will see. */
	if (place < 0 || !hpkm_target_alive(&t->target))
		goto put;
	hook = hpkm_image_hooks(state->places[place]->patch->image);
	n = hpkm_patch_header(state->places[place]->patch)->hooks.count;
	for (u32 i = 0; i < n && !ret; i++) {
		if (!(hook[i].flags & HPKM_HOOK_REVERT))
			continue;
		ret = want_one(t, state->places[place], &hook[i]);
		if (ret > 0 && !is_called(state, place, hook[i].object)) {
			ret = -EBUSY;
			why(t,
			    "its revert hook can't run, as newer patches replace all its functions: revert those first");
		} else if (ret < 0) {
			why(t,
			    "the memory that its hooks work by was changed by the process");
		}
	}
	if (ret < 0)
		t->status = HPKM_STATUS_REFUSED;
put:
	hpkm_state_put(state);
	return ret;
}

/**
 * hpkm_hook_give_up() - the deadline came before the revert hooks were done
 * @t: hpkm_hook_want() has returned 1 for it; gets status and why
 */
void hpkm_hook_give_up(struct hpkm_transition *t)
{
	t->status = HPKM_STATUS_BUSY;
	switch (t->hook_state) {
	case HPKM_HOOK_APPLYING:
		why(t, "its apply hook is still running");
		break;
	case HPKM_HOOK_REVERTING:
		why(t, "its revert hook is still running");
		break;
	default:
		why(t,
		    "its revert hook has not run yet: no thread called one of its functions");
	}
}

/**
 * hpkm_hook_take_back() - the patch is not reverted after all
 * @t: its target need not be claimed: another request asks over again
 * @name: of the patch
 *
 * Hooks that have run by now are undone by the target: it runs the apply hooks
 * again before any new code.
 *
 * Context: Kernel worker, no mmap_lock held.
 */
void hpkm_hook_take_back(struct hpkm_transition *t, const char *name)
{
	struct hpkm_state *state;
	int place;

	if (!t->hook_wanted)
		return;
	t->hook_wanted = false;
	state = hpkm_state_of(t->target.mm);
	place = hpkm_state_find_name(state, name);
	if (place >= 0) {
		const struct hpkm_place *p = state->places[place];
		const struct hpkm_image_hook *hook =
			hpkm_image_hooks(p->patch->image);
		u32 n = hpkm_patch_header(p->patch)->hooks.count;
		struct word want;

		for (u32 i = 0; i < n; i++) {
			if (pin_word(&t->target, p, HPKM_HOOK_WANT +
				     control_address(p, &hook[i]), &want))
				continue;
			WRITE_ONCE(*want.at, 0);
			unpin_word(&want);
		}
	}
	hpkm_state_put(state);
}

/**
 * hpkm_hook_guard() - no stop may find the revert hooks in another state
 * @t: planned, after hpkm_hook_want() has returned 0
 * @name: of the patch
 *
 * Context: Kernel worker, no mmap_lock held.
 * Return: 0, or an error, with status and why.
 */
int hpkm_hook_guard(struct hpkm_transition *t, const char *name)
{
	int place = hpkm_state_find_name(t->from, name), ret = 0;
	const struct hpkm_image_hook *hook;
	u32 n;

	if (place < 0)
		return 0;
	hook = hpkm_image_hooks(t->from->places[place]->patch->image);
	n = hpkm_patch_header(t->from->places[place]->patch)->hooks.count;
	for (u32 i = 0; i < n && !ret; i++) {
		unsigned long at =
			state_address(t->from->places[place], &hook[i]);
		u64 state;

		if (!(hook[i].flags & HPKM_HOOK_REVERT))
			continue;
		ret = hpkm_target_read(&t->target, at, &state, sizeof(state));
		if (ret)
			break;
		/* Whatever else it may be now: the stop will find it stale. */
		if (state != HPKM_HOOK_PENDING)
			state = HPKM_HOOK_REVERTED;
		ret = hpkm_text_expect(&t->text, &t->target, at, state);
	}
	if (ret) {
		t->status = ret == -ENOMEM ? HPKM_STATUS_ERROR :
			    ret == -ESRCH ? HPKM_STATUS_GONE :
					    HPKM_STATUS_REFUSED;
		why(t, "the state of its hooks can't be read (error %d)", -ret);
	}
	return ret;
}
