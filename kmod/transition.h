/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 10: the switch of targets from one state to another. */
#ifndef _HPKM_TRANSITION_H
#define _HPKM_TRANSITION_H

#include <linux/bitmap.h>
#include <linux/ptrace.h>
#include <linux/rwsem.h>
#include <uapi/linux/hpkm.h>

#include "binding.h"
#include "place.h"
#include "stack.h"
#include "text.h"

#define HPKM_BLOCKERS_MAX	16
#define HPKM_DOUBTS_MAX		16
#define HPKM_WHY_SIZE		160

/**
 * struct hpkm_doubt - words on a sleeping thread's stack that block
 * @tid: the thread, in the initial pid namespace
 * @switches: its context switches when it was looked at
 * @sp: its stack pointer
 * @regs: its user registers
 * @hits: the words
 *
 * They may be left from earlier calls; who can unwind the stack knows.
 */
struct hpkm_doubt {
	pid_t tid;
	unsigned long switches;
	unsigned long sp;
	struct pt_regs regs;
	struct hpkm_hit_list hits;
};

/**
 * struct hpkm_lost - what has gone from under a patch
 * @objects: those of its objects that are no longer mapped, or mapped anew
 */
struct hpkm_lost {
	DECLARE_BITMAP(objects, HPKM_OBJECTS_MAX);
};

/**
 * struct hpkm_dead - a part of a stack that is not in use
 * @start: user address
 * @end: the first address behind it
 * @top: where the stack ends; 0: not known
 */
struct hpkm_dead {
	unsigned long start;
	unsigned long end;
	unsigned long top;
};

struct hpkm_threads;

/**
 * struct hpkm_transition - one target on its way from one state to another
 * @node: in the request
 * @by_mm: there, too
 * @target: claimed while a plan exists
 * @bindings: what externs are bound to; the request's
 * @from: its state now; NULL when nothing is patched
 * @to: its state afterwards
 * @added: the place that is new, NULL for a revert; @to holds the reference
 * @removed: places of @from that @to does not have, or has as retiring: what
 *	no thread can reach of them is unmapped after the commit
 * @kept: for each of @removed: found in use in the last stop
 * @removed_count: how many
 * @lost: for each place of @from, objects whose code has gone
 * @text: what the commit writes
 * @ranges: where no thread may be
 * @plan: number of the plan, for no two are alike
 * @status: outcome so far
 * @why: text for people, for refused, error, busy and gone
 * @threads: found in the last attempt
 * @slept: how many were looked at before the stop and have slept on
 * @known: how many of the tasks that have its mm were seen before the stop
 * @locked: the mmap_lock is held by the stop
 * @fits: the plan fits the target, as the last stop found
 * @attempts: attempts to switch it
 * @blockers: who blocked in the last attempt
 * @blocker_count: how many of them are filled in
 * @before: the blockers of the attempt before that
 * @before_count: how many of them
 * @asleep_blocked: one of the blockers sleeps: no need to stop the machine
 * @noted: when an event last told who is in the way, ns
 * @sleepers: when each target is on its own, what its last attempt found of
 *	sleeping threads; else NULL
 * @doubts: what somebody should look at closely
 * @doubt_count: how many
 * @dead: with heap consistency, parts of stacks that are not in use
 * @dead_count: how many
 * @dead_room: room for so many
 * @fault_at: address of a stack page to be faulted in before the next stop, 0
 * @outdated: the plan no longer fits the target and has to be made again
 * @outdated_count: how often that was so
 * @hook_wanted: the target was told that its revert hooks shall run
 * @hook_state: of the hook that is waited for, or (after apply) pending
 * @hook_shown: @hook_state is part of the result
 */
struct hpkm_transition {
	struct list_head node;
	struct hlist_node by_mm;
	struct hpkm_target target;
	const struct hpkm_bindings *bindings;
	struct hpkm_state *from, *to;
	struct hpkm_place *added;
	struct hpkm_place **removed;
	bool *kept;
	u32 removed_count;
	struct hpkm_lost *lost;
	struct hpkm_text text;
	struct hpkm_ranges ranges;
	u32 plan;
	enum hpkm_status status;
	char why[HPKM_WHY_SIZE];
	u32 threads;
	atomic_t slept;
	u32 known;
	bool locked;
	bool fits;
	u32 attempts;
	struct hpkm_blocker blockers[HPKM_BLOCKERS_MAX];
	u32 blocker_count;
	struct hpkm_blocker before[HPKM_BLOCKERS_MAX];
	u32 before_count;
	bool asleep_blocked;
	u64 noted;
	struct hpkm_threads *sleepers;
	struct hpkm_doubt *doubts[HPKM_DOUBTS_MAX];
	u32 doubt_count;
	struct hpkm_dead *dead;
	u32 dead_count, dead_room;
	unsigned long fault_at;
	bool outdated;
	u32 outdated_count;
	bool hook_wanted;
	u32 hook_state;
	bool hook_shown;
};

/*
 * Has the code of a site gone from the process, or is it mapped anew, without
 * the jump?  @state is that before or after.
 */
static inline bool hpkm_transition_lost(const struct hpkm_transition *t,
					const struct hpkm_state *state,
					const struct hpkm_site *site)
{
	const struct hpkm_place *place = state->places[site->place];
	u32 object = hpkm_site_func(state, site)->object;

	for (u32 i = 0; t->from && i < t->from->place_count; i++)
		if (t->from->places[i] == place)
			return test_bit(object, t->lost[i].objects);
	return false;
}

/* plan.c: what has to be done, and undone. */
int hpkm_plan_apply(struct hpkm_transition *t, struct hpkm_patch *patch,
		    bool bodies, u32 distance);
int hpkm_plan_revert(struct hpkm_transition *t, const char *name, bool bodies,
		     u32 distance);
int hpkm_plan_retire(struct hpkm_transition *t);
void hpkm_plan_abandon(struct hpkm_transition *t);
bool hpkm_plan_complete(struct hpkm_transition *t);

/**
 * struct hpkm_stop - one attempt to switch several targets at once
 * @transitions: planned
 * @count: how many
 * @commit: false for a dry run
 * @heap: all private memory counts, not only stacks
 * @retire: no function changes; it is done only for what is unmapped
 * @stale: words on stacks that do not count
 * @stale_count: how many
 * @now: when the attempt began, ns of the monotonic clock
 * @done: every target was found safe (and, unless dry, switched)
 * @checked: the machine was stopped and threads were looked at
 * @scanned: how much of their stacks, inside the stop
 * @pause_ns: duration of the whole call, at least what any thread stood still
 */
struct hpkm_stop {
	struct hpkm_transition **transitions;
	u32 count;
	bool commit;
	bool heap;
	bool retire;
	const struct hpkm_stale *stale;
	u32 stale_count;
	u64 now;
	bool done;
	bool checked;
	struct hpkm_scanned scanned;
	u64 pause_ns;
};

/*
 * lockdep's idea of a target's mmap_lock inside the stop: it is told of it only
 * around code that asks, so that any number of locks can be held, and given up
 * by another thread.
 */
static inline void hpkm_say_locked(struct mm_struct *mm)
{
	rwsem_acquire_read(&mm->mmap_lock.dep_map, 0, 1, _RET_IP_);
}

static inline void hpkm_say_unlocked(struct mm_struct *mm)
{
	rwsem_release(&mm->mmap_lock.dep_map, _RET_IP_);
}

struct hpkm_threads;

int hpkm_stop_and_switch(struct hpkm_stop *stop, struct hpkm_threads *threads);

#endif /* _HPKM_TRANSITION_H */
