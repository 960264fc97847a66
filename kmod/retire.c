// SPDX-License-Identifier: GPL-2.0
/*
 * Unmapping what was reverted while it was in use.
 *
 * A patch that was reverted, or replaced, stays mapped while a thread is in
 * its code or has a pointer into it.  From time to time, at growing intervals,
 * every process is looked at that has such patches; forked children have them,
 * too.  The machine is stopped for it only when no sleeping thread is seen to
 * be there.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "retire.h"
#include "threads.h"

#define FIRST_MS	100
#define LAST_MS		30000

static void retire(struct work_struct *work);
static DECLARE_DELAYED_WORK(retire_work, retire);
static unsigned int delay_ms;
static bool closing;

/* False when something stays mapped. */
static bool switch_one(struct hpkm_transition *t)
{
	struct hpkm_threads threads = { 0 };
	struct hpkm_stop stop = {
		.transitions = &t,
		.count = 1,
		.commit = true,
		.retire = true,
	};
	bool rest = true;

	if (!hpkm_plan_retire(t)) {
		if (!hpkm_stop_and_switch(&stop, &threads) && stop.done &&
		    t->threads)
			rest = hpkm_plan_complete(t);
		else
			hpkm_plan_abandon(t);
		hpkm_threads_release(&threads);
	} else {
		rest = t->status != HPKM_STATUS_ALREADY;
	}
	return !rest;
}

/* False when something stays mapped in this process. */
static bool retire_in(pid_t pid)
{
	struct pid *group = find_get_pid(pid);
	struct hpkm_transition *t;
	bool done = true;

	if (!group)
		return true;
	t = kvzalloc(sizeof(*t), GFP_KERNEL);
	if (t && !hpkm_target_open(&t->target, group, 0, t->why,
				   sizeof(t->why))) {
		struct hpkm_state *state = hpkm_state_of(t->target.mm);

		if (state && state->retiring_count) {
			done = false;
			if (hpkm_target_claim(&t->target)) {
				done = switch_one(t);
				hpkm_target_unclaim(&t->target);
			}
		}
		hpkm_state_put(state);
	}
	if (t)
		hpkm_target_close(&t->target);
	kvfree(t);
	put_pid(group);
	return done && t;
}

static void retire(struct work_struct *work)
{
	size_t count;
	pid_t *pids = hpkm_target_pids(&count);
	bool done = pids;

	for (size_t i = 0; pids && i < count && !READ_ONCE(closing); i++) {
		done &= retire_in(pids[i]);
		cond_resched();
	}
	kvfree(pids);
	delay_ms = min(delay_ms * 2, (unsigned int)LAST_MS);
	if (!done && !READ_ONCE(closing))
		schedule_delayed_work(&retire_work, msecs_to_jiffies(delay_ms));
}

/**
 * hpkm_retire_later() - something that was reverted is still mapped
 *
 * Context: Process context.
 */
void hpkm_retire_later(void)
{
	if (READ_ONCE(closing))
		return;
	delay_ms = FIRST_MS;
	mod_delayed_work(system_wq, &retire_work, msecs_to_jiffies(FIRST_MS));
}

/* What is still mapped holds the module, so nothing is, or it is forced. */
void hpkm_retire_exit(void)
{
	WRITE_ONCE(closing, true);
	cancel_delayed_work_sync(&retire_work);
}
