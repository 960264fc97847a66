// SPDX-License-Identifier: GPL-2.0
/*
 * Stages 8 to 10 for the targets of one request: claim them, plan, stop and
 * switch, all or none, and try again until the deadline.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include "collect.h"
#include "hook.h"
#include "retire.h"
#include "round.h"
#include "running.h"

#define BACKOFF_HEAP_MS		500
/* Stack pages are faulted in so often between two back-offs. */
#define FAULTS_MAX		256
/* So many pages at a time. */
#define FAULT_PAGES		16
/* An event says who is in the way no more often than this. */
#define NOTE_NS			NSEC_PER_SEC
/* A plan that had to be made anew so often will not do. */
#define OUTDATED_MAX		16

/* A target that has a plan, which must be committed or abandoned. */
static bool is_planned(const struct hpkm_transition *t)
{
	return t->to;
}

static bool is_claimed(const struct hpkm_transition *t)
{
	return !hlist_unhashed(&t->target.node);
}

static void unclaim_all(struct hpkm_request *request)
{
	struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node)
		if (is_claimed(t))
			hpkm_target_unclaim(&t->target);
}

/* Claim every target that is still to be switched, or none. */
static bool claim_all(struct hpkm_request *request)
{
	struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node) {
		if (t->status != HPKM_STATUS_READY)
			continue;
		if (hpkm_target_claim(&t->target))
			continue;
		memset(&t->blockers[0], 0, sizeof(t->blockers[0]));
		strscpy(t->blockers[0].func, "(another request is under way)",
			sizeof(t->blockers[0].func));
		t->blocker_count = 1;
		unclaim_all(request);
		return false;
	}
	return true;
}

/* Are there revert hooks to be run first? */
static bool minds_hooks(const struct hpkm_request *request)
{
	return !request->patch && !request->skip_hooks && !request->dry_run;
}

static int plan_one(struct hpkm_request *request, struct hpkm_transition *t)
{
	bool bodies = request->consistency != HPKM_CONSISTENCY_IP;
	int ret;

	if (request->patch)
		return hpkm_plan_apply(t, request->patch, bodies,
				       request->distance);
	ret = hpkm_plan_revert(t, request->name, bodies, request->distance);
	if (!ret && minds_hooks(request))
		ret = hpkm_hook_guard(t, request->name);
	return ret;
}

/* Plan for every target that is claimed; false when one can't be had. */
static bool plan_all(struct hpkm_request *request)
{
	struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node) {
		if (!is_claimed(t) || is_planned(t) ||
		    t->status != HPKM_STATUS_READY)
			continue;
		if (plan_one(request, t) < 0 && t->status != HPKM_STATUS_GONE)
			return false;
		if (hpkm_request_cancelled(request))
			return false;
	}
	return true;
}

static void abandon_all(struct hpkm_request *request)
{
	struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node)
		if (is_planned(t))
			hpkm_plan_abandon(t);
}

static u32 count_planned(const struct hpkm_request *request)
{
	const struct hpkm_transition *t;
	u32 count = 0;

	list_for_each_entry(t, &request->transitions, node)
		count += is_planned(t);
	return count;
}

/* The process ended, or runs another program; others go on without it. */
static void leave_out(struct hpkm_request *request, struct hpkm_transition *t)
{
	t->status = HPKM_STATUS_GONE;
	snprintf(t->why, sizeof(t->why),
		 "the process ended, or runs another program");
	hpkm_plan_abandon(t);
	request->report->notice(request, HPKM_EVENT_GONE, t);
}

/* The page of a stack that was missed, and some behind it; false: not even it. */
static bool fault_in(struct hpkm_transition *t)
{
	unsigned long at = t->fault_at & PAGE_MASK;
	u32 i;
	u8 byte;

	for (i = 0; i < FAULT_PAGES; i++, at += PAGE_SIZE)
		if (hpkm_target_read(&t->target, at, &byte, sizeof(byte)))
			break;
	return i;
}

/*
 * Do something about what an unsuccessful stop found.  False when a target
 * can't be switched ever; *@at_once when the next attempt need not wait.
 */
static bool make_ready(struct hpkm_request *request,
		       const struct hpkm_stop *stop, bool *at_once)
{
	bool faulted = false, missing = false;
	struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node) {
		if (!is_planned(t))
			continue;
		if (stop->checked && !t->threads) {
			leave_out(request, t);
		} else if (t->outdated) {
			hpkm_plan_abandon(t);
			if (++t->outdated_count < OUTDATED_MAX)
				continue;
			t->status = HPKM_STATUS_REFUSED;
			snprintf(t->why, sizeof(t->why),
				 "its code or our mappings keep changing");
			return false;
		} else if (t->fault_at) {
			if (fault_in(t))
				faulted = true;
			else
				missing = true;
		}
	}
	*at_once = faulted && !missing;
	return true;
}

static void note_blocked(struct hpkm_request *request)
{
	struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node) {
		u64 now = ktime_get_ns();

		if (!is_planned(t) || !t->blocker_count ||
		    (t->noted && now - t->noted < NOTE_NS))
			continue;
		t->noted = now;
		request->report->notice(request, HPKM_EVENT_BLOCKED, t);
	}
}

/* Ask the client about words that may be stale. */
static void ask(struct hpkm_request *request)
{
	struct hpkm_transition *t;
	u32 i;

	list_for_each_entry(t, &request->transitions, node) {
		for (i = 0; i < t->doubt_count; i++)
			if (request->report->doubt(request, t, t->doubts[i]))
				break;
		hpkm_transition_free_doubts(t);
	}
}

static int try_once(struct hpkm_request *request, struct hpkm_stop *stop)
{
	struct hpkm_transition *t;
	int ret;

	hpkm_running_take_answers(request);
	memset(stop, 0, sizeof(*stop));
	stop->commit = !request->dry_run;
	stop->heap = request->consistency == HPKM_CONSISTENCY_HEAP;
	stop->stale = request->stale;
	stop->stale_count = request->stale_count;
	stop->transitions = kvmalloc_array(count_planned(request) + 1,
					   sizeof(t), GFP_KERNEL);
	if (!stop->transitions)
		return -ENOMEM;
	list_for_each_entry(t, &request->transitions, node)
		if (is_planned(t))
			stop->transitions[stop->count++] = t;
	if (stop->count)
		ret = hpkm_stop_and_switch(stop, &request->threads);
	else
		ret = 0;
	if (!stop->count)
		stop->done = true;
	kvfree(stop->transitions);
	request->attempts += !!stop->count;
	request->words = stop->scanned.words;
	return ret;
}

static void fail_planned(struct hpkm_request *request)
{
	struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node) {
		if (!is_planned(t))
			continue;
		t->status = HPKM_STATUS_ERROR;
		snprintf(t->why, sizeof(t->why), "out of kernel memory");
	}
}

static void finish_one(struct hpkm_request *request, struct hpkm_transition *t)
{
	enum hpkm_event event = request->patch ? HPKM_EVENT_APPLIED :
						 HPKM_EVENT_REVERTED;

	if (!t->threads) {
		leave_out(request, t);
	} else if (request->dry_run) {
		t->status = HPKM_STATUS_DRY_RUN;
		hpkm_plan_abandon(t);
	} else {
		t->status = request->patch ? HPKM_STATUS_APPLIED :
					     HPKM_STATUS_REVERTED;
		t->hook_shown = t->added &&
				hpkm_hook_pending(&t->target, t->added);
		t->hook_state = HPKM_HOOK_STATE_PENDING;
		if (hpkm_plan_complete(t))
			hpkm_retire_later();
		request->report->notice(request, event, t);
	}
}

static void finish_all(struct hpkm_request *request,
		       const struct hpkm_stop *stop)
{
	struct hpkm_transition *t;

	request->pause_ns = max(request->pause_ns, stop->pause_ns);
	list_for_each_entry(t, &request->transitions, node)
		if (is_planned(t))
			finish_one(request, t);
}

/**
 * hpkm_round_give_up() - the deadline came
 * @request: who could have switched stays "ready"
 */
void hpkm_round_give_up(struct hpkm_request *request)
{
	struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node) {
		if (t->status != HPKM_STATUS_READY ||
		    (!t->blocker_count && !t->outdated_count))
			continue;
		t->status = HPKM_STATUS_BUSY;
		snprintf(t->why, sizeof(t->why),
			 "not safe to switch before the deadline");
	}
}

/* How many targets have revert hooks that have not run; or an error. */
static int want_hooks(struct hpkm_request *request)
{
	struct hpkm_transition *t;
	int count = 0;

	list_for_each_entry(t, &request->transitions, node) {
		int ret;

		if (!is_claimed(t) || t->status != HPKM_STATUS_READY)
			continue;
		ret = hpkm_hook_want(t, request->name);
		if (ret < 0)
			return ret;
		t->hook_shown = ret;
		count += ret;
	}
	return count;
}

/* Until the revert hooks of every target have run; false when that fails. */
static bool await_hooks(struct hpkm_request *request, unsigned long deadline)
{
	unsigned int delay_ms = HPKM_BACKOFF_MIN_MS;
	struct hpkm_transition *t;
	int count;

	if (!minds_hooks(request))
		return true;
	while ((count = want_hooks(request)) > 0) {
		if (hpkm_running_back_off(request, deadline, &delay_ms))
			continue;
		list_for_each_entry(t, &request->transitions, node)
			if (is_claimed(t) && t->hook_shown)
				hpkm_hook_give_up(t);
		return false;
	}
	return !count;
}

/**
 * hpkm_round_take_back_hooks() - after the last round
 * @request: revert hooks of those that were not reverted shall not run
 *
 * Context: Kernel worker.
 */
void hpkm_round_take_back_hooks(struct hpkm_request *request)
{
	struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node)
		if (t->status != HPKM_STATUS_REVERTED)
			hpkm_hook_take_back(t, request->name);
}

/**
 * hpkm_round_run() - switch every target that is ready, in one stop
 * @request: its transitions get their outcome, unless they stay "ready"
 * @deadline: jiffies
 *
 * Context: Kernel worker.
 * Return: True when that was done, or there was nothing to do.
 */
bool hpkm_round_run(struct hpkm_request *request, unsigned long deadline)
{
	unsigned int delay_ms = HPKM_BACKOFF_MIN_MS, faults = 0;
	struct hpkm_stop stop;
	bool done = false, at_once;

	while (!claim_all(request)) {
		if (!hpkm_running_back_off(request, deadline, &delay_ms)) {
			hpkm_round_give_up(request);
			return false;
		}
	}
	/* Looking through memory is a long stop: not too often. */
	delay_ms = request->consistency == HPKM_CONSISTENCY_HEAP ?
		BACKOFF_HEAP_MS : HPKM_BACKOFF_MIN_MS;
	while (await_hooks(request, deadline) && plan_all(request)) {
		if (try_once(request, &stop)) {
			fail_planned(request);
			break;
		}
		done = stop.done;
		if (done) {
			finish_all(request, &stop);
			break;
		}
		note_blocked(request);
		ask(request);
		if (!make_ready(request, &stop, &at_once))
			break;
		if (at_once && faults++ < FAULTS_MAX &&
		    !hpkm_request_cancelled(request))
			continue;
		faults = 0;
		if (!hpkm_running_back_off(request, deadline, &delay_ms)) {
			hpkm_round_give_up(request);
			break;
		}
	}
	abandon_all(request);
	unclaim_all(request);
	return done;
}
