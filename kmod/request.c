// SPDX-License-Identifier: GPL-2.0
/*
 * Stages 7 to 11 for one request: find its targets, claim them, plan, stop
 * and switch, try again until the deadline, report.
 *
 * A request runs in a kernel worker, never in its client's system call: a
 * client that waits holds no lock of generic netlink, and one that is killed
 * leaves either what was committed or nothing.
 *
 * running_lock protects the list of running requests; a request leaves it
 * before it is freed, so hpkm_request_cancel() may touch what it finds there.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "hook.h"
#include "request.h"
#include "retire.h"

#define BACKOFF_MIN_MS		1
#define BACKOFF_MAX_MS		50
#define BACKOFF_HEAP_MS		500
#define RUNNING_MAX		64
/* Stack pages are faulted in so often between two back-offs. */
#define FAULTS_MAX		256
/* So many pages at a time. */
#define FAULT_PAGES		16
/* An event says who is in the way no more often than this. */
#define NOTE_NS			NSEC_PER_SEC
/* Answers of one client that are kept. */
#define STALE_MAX		4096
/* A plan that had to be made anew so often will not do. */
#define OUTDATED_MAX		16

static DEFINE_MUTEX(running_lock);
static LIST_HEAD(running);
static unsigned int running_count;
static bool closing;
static struct workqueue_struct *workers;
static const struct hpkm_reporter *report;

static bool cancelled(const struct hpkm_request *request)
{
	return READ_ONCE(request->cancelled);
}

/* A target that has a plan, which must be committed or abandoned. */
static bool is_planned(const struct hpkm_transition *t)
{
	return t->to;
}

static bool is_claimed(const struct hpkm_transition *t)
{
	return !hlist_unhashed(&t->target.node);
}

static struct hpkm_transition *alloc_transition(bool each)
{
	struct hpkm_transition *t = kvzalloc(sizeof(*t), GFP_KERNEL);

	if (!t || !each)
		return t;
	t->sleepers = kzalloc(sizeof(*t->sleepers), GFP_KERNEL);
	if (t->sleepers)
		return t;
	kvfree(t);
	return NULL;
}

static struct hpkm_transition *new_transition(struct hpkm_request *request)
{
	struct hpkm_transition *t = alloc_transition(request->each);

	if (!t) {
		request->status = HPKM_STATUS_ERROR;
		snprintf(request->why, sizeof(request->why),
			 "out of kernel memory");
		return NULL;
	}
	t->status = HPKM_STATUS_READY;
	t->bindings = &request->bindings;
	return t;
}

static void free_doubts(struct hpkm_transition *t)
{
	while (t->doubt_count)
		kvfree(t->doubts[--t->doubt_count]);
}

static void free_transition(struct hpkm_transition *t)
{
	free_doubts(t);
	kfree(t->sleepers);
	kvfree(t->dead);
	hpkm_target_close(&t->target);
	kvfree(t);
}

static bool is_known(const struct hpkm_request *request,
		     const struct mm_struct *mm)
{
	const struct hpkm_transition *t;

	hash_for_each_possible(request->by_mm, t, by_mm, (unsigned long)mm)
		if (t->target.mm == mm)
			return true;
	return false;
}

static void add_transition(struct hpkm_request *request,
			   struct hpkm_transition *t)
{
	list_add_tail(&t->node, &request->transitions);
	hash_add(request->by_mm, &t->by_mm, (unsigned long)t->target.mm);
}

/* The processes that were named; those that share an mm count once. */
static int collect_wanted(struct hpkm_request *request)
{
	for (u32 i = 0; i < request->wanted_count; i++) {
		const struct hpkm_wanted *w = &request->wanted[i];
		struct hpkm_transition *t = new_transition(request);
		int ret;

		if (!t)
			return -ENOMEM;
		ret = hpkm_target_open(&t->target, w->group, w->start_time,
				       t->why, sizeof(t->why));
		if (ret)
			t->status = ret == -ESRCH ? HPKM_STATUS_GONE :
						    HPKM_STATUS_REFUSED;
		if (!ret && is_known(request, t->target.mm))
			free_transition(t);
		else
			add_transition(request, t);
	}
	return 0;
}

static bool is_concerned(const struct hpkm_request *request,
			 const struct hpkm_target *target)
{
	struct hpkm_state *state;
	bool yes;

	if (request->patch)
		return hpkm_target_maps(target, request->patch);
	state = hpkm_state_of(target->mm);
	yes = hpkm_state_find_name(state, request->name) >= 0;
	hpkm_state_put(state);
	return yes;
}

static int collect_process(struct hpkm_request *request, pid_t pid)
{
	struct pid *group = find_get_pid(pid);
	struct hpkm_transition *t;
	bool keep;

	if (!group)
		return 0;
	t = new_transition(request);
	if (!t) {
		put_pid(group);
		return -ENOMEM;
	}
	keep = !hpkm_target_open(&t->target, group, 0, t->why,
				 sizeof(t->why)) &&
	       !is_known(request, t->target.mm) &&
	       is_concerned(request, &t->target);
	put_pid(group);
	if (keep)
		add_transition(request, t);
	else
		free_transition(t);
	return 0;
}

static int collect_all(struct hpkm_request *request)
{
	size_t count;
	pid_t *pids = hpkm_target_pids(&count);
	int ret = 0;

	if (!pids) {
		request->status = HPKM_STATUS_ERROR;
		return -ENOMEM;
	}
	for (size_t i = 0; i < count && !ret && !cancelled(request); i++) {
		ret = collect_process(request, pids[i]);
		cond_resched();
	}
	kvfree(pids);
	return ret;
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
		if (cancelled(request))
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
	report->notice(request, HPKM_EVENT_GONE, t);
}

/* The page of a stack that was missed, and some behind it. */
static void fault_in(struct hpkm_transition *t)
{
	unsigned long at = t->fault_at & PAGE_MASK;
	u32 i;
	u8 byte;

	for (i = 0; i < FAULT_PAGES; i++, at += PAGE_SIZE)
		if (hpkm_target_read(&t->target, at, &byte, sizeof(byte)))
			break;
}

/*
 * Do something about what an unsuccessful stop found.  False when a target
 * can't be switched ever; *@at_once when the next attempt need not wait.
 */
static bool make_ready(struct hpkm_request *request,
		       const struct hpkm_stop *stop, bool *at_once)
{
	struct hpkm_transition *t;

	*at_once = false;
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
			fault_in(t);
			*at_once = true;
		}
	}
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
		report->notice(request, HPKM_EVENT_BLOCKED, t);
	}
}

/* Ask the client about words that may be stale. */
static void ask(struct hpkm_request *request)
{
	struct hpkm_transition *t;
	u32 i;

	list_for_each_entry(t, &request->transitions, node) {
		for (i = 0; i < t->doubt_count; i++)
			if (report->doubt(request, t, t->doubts[i]))
				break;
		free_doubts(t);
	}
}

/* What the client has answered by now. */
static void take_answers(struct hpkm_request *request)
{
	mutex_lock(&running_lock);
	if (request->answers) {
		kvfree(request->stale);
		request->stale = request->answers;
		request->stale_count = request->answer_count;
		request->answers = NULL;
		WRITE_ONCE(request->answer_count, 0);
	}
	mutex_unlock(&running_lock);
}

/* Sleep before the next attempt; false when the deadline has come. */
static bool back_off(struct hpkm_request *request, unsigned long deadline,
		     unsigned int *delay_ms)
{
	unsigned long delay = msecs_to_jiffies(*delay_ms);

	if (*delay_ms < BACKOFF_MAX_MS)
		*delay_ms = min(*delay_ms * 2, (unsigned int)BACKOFF_MAX_MS);
	if (cancelled(request) || !time_before(jiffies, deadline))
		return false;
	delay = min(delay, deadline - jiffies);
	wait_event_timeout(request->wake, cancelled(request) ||
			   READ_ONCE(request->answer_count), max(delay, 1UL));
	return !cancelled(request);
}

static int try_once(struct hpkm_request *request, struct hpkm_stop *stop)
{
	struct hpkm_transition *t;
	int ret;

	take_answers(request);
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
		report->notice(request, event, t);
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

/* The deadline came.  Who could have switched stays "ready". */
static void give_up(struct hpkm_request *request)
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
	unsigned int delay_ms = BACKOFF_MIN_MS;
	struct hpkm_transition *t;
	int count;

	if (!minds_hooks(request))
		return true;
	while ((count = want_hooks(request)) > 0) {
		if (back_off(request, deadline, &delay_ms))
			continue;
		list_for_each_entry(t, &request->transitions, node)
			if (is_claimed(t) && t->hook_shown)
				hpkm_hook_give_up(t);
		return false;
	}
	return !count;
}

static void take_back_hooks(struct hpkm_request *request)
{
	struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node)
		if (t->status != HPKM_STATUS_REVERTED)
			hpkm_hook_take_back(t, request->name);
}

/*
 * Every target that is ready: switch them in one stop.  True when that was
 * done, or there was nothing to do.
 */
static bool run_round(struct hpkm_request *request, unsigned long deadline)
{
	unsigned int delay_ms = BACKOFF_MIN_MS, faults = 0;
	struct hpkm_stop stop;
	bool done = false, at_once;

	while (!claim_all(request)) {
		if (!back_off(request, deadline, &delay_ms)) {
			give_up(request);
			return false;
		}
	}
	/* Looking through memory is a long stop: not too often. */
	delay_ms = request->consistency == HPKM_CONSISTENCY_HEAP ?
		BACKOFF_HEAP_MS : BACKOFF_MIN_MS;
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
		if (at_once && faults++ < FAULTS_MAX && !cancelled(request))
			continue;
		faults = 0;
		if (!back_off(request, deadline, &delay_ms)) {
			give_up(request);
			break;
		}
	}
	abandon_all(request);
	unclaim_all(request);
	return done;
}

static bool any_refused(const struct hpkm_request *request)
{
	const struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node)
		if (t->status == HPKM_STATUS_REFUSED ||
		    t->status == HPKM_STATUS_GONE)
			return true;
	return false;
}

static bool any_ready(const struct hpkm_request *request)
{
	const struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node)
		if (t->status == HPKM_STATUS_READY)
			return true;
	return false;
}

/* One attempt for @t, which is the only transition of the request. */
static bool run_alone(struct hpkm_request *request, struct hpkm_transition *t)
{
	t->status = HPKM_STATUS_READY;
	swap(request->threads, *t->sleepers);
	run_round(request, jiffies);
	swap(request->threads, *t->sleepers);
	return t->status != HPKM_STATUS_BUSY;
}

/*
 * Each target that is ready on its own: one attempt for each, and all over
 * again for those that were busy, until the deadline.
 */
static void run_each(struct hpkm_request *request, unsigned long deadline)
{
	unsigned int delay_ms = BACKOFF_MIN_MS;
	struct hpkm_transition *t;
	bool busy;

	do {
		LIST_HEAD(waiting);
		LIST_HEAD(done);

		busy = false;
		list_splice_init(&request->transitions, &waiting);
		while (!list_empty(&waiting)) {
			t = list_first_entry(&waiting, struct hpkm_transition,
					     node);
			list_move(&t->node, &request->transitions);
			if ((t->status == HPKM_STATUS_READY ||
			     t->status == HPKM_STATUS_BUSY) &&
			    !run_alone(request, t))
				busy = true;
			list_move_tail(&t->node, &done);
		}
		list_splice(&done, &request->transitions);
	} while (busy && back_off(request, deadline, &delay_ms));
	list_for_each_entry(t, &request->transitions, node)
		hpkm_threads_release(t->sleepers);
}

static bool switch_ready(struct hpkm_request *request, unsigned long deadline)
{
	bool done = true;

	if (request->each) {
		run_each(request, deadline);
	} else {
		done = run_round(request, deadline);
		hpkm_threads_release(&request->threads);
	}
	return done;
}

/*
 * With "all", processes are looked for again after each round, for some may
 * have been forked or started meanwhile, until a look finds none.
 */
static void run_rounds(struct hpkm_request *request)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(request->wait_ms);
	unsigned int rounds = 0;

	if (!request->all) {
		/* A process that can't be had: nothing is done to the others. */
		if (!collect_wanted(request) &&
		    (request->each || !any_refused(request)))
			switch_ready(request, deadline);
		return;
	}
	do {
		if (collect_all(request) || !any_ready(request))
			return;
		if (rounds++ && !time_before(jiffies, deadline)) {
			give_up(request);
			return;
		}
	} while (switch_ready(request, deadline) && !request->dry_run &&
		 !cancelled(request));
}

/* The worst of the targets is the outcome of the whole. */
static void conclude(struct hpkm_request *request)
{
	static const u8 rank[] = {
		[HPKM_STATUS_ALREADY] = 1,
		[HPKM_STATUS_DRY_RUN] = 2,
		[HPKM_STATUS_REVERTED] = 3,
		[HPKM_STATUS_APPLIED] = 4,
		[HPKM_STATUS_GONE] = 5,
		[HPKM_STATUS_READY] = 6,
		[HPKM_STATUS_BUSY] = 7,
		[HPKM_STATUS_REFUSED] = 8,
		[HPKM_STATUS_ERROR] = 9,
	};
	const struct hpkm_transition *t;
	bool first = request->status != HPKM_STATUS_ERROR;

	if (!first)
		return;
	request->status = HPKM_STATUS_GONE;
	list_for_each_entry(t, &request->transitions, node) {
		if (first || rank[t->status] > rank[request->status])
			request->status = t->status;
		first = false;
	}
}

static void send_report(struct hpkm_request *request)
{
	const struct hpkm_transition *t;

	list_for_each_entry(t, &request->transitions, node) {
		if (t->status == HPKM_STATUS_REFUSED)
			report->notice(request, HPKM_EVENT_REFUSED, t);
		if (report->result(request, t))
			return;
	}
	report->done(request);
}

static void run(struct work_struct *work)
{
	struct hpkm_request *request =
		container_of(work, struct hpkm_request, work);
	struct hpkm_transition *t;

	run_rounds(request);
	take_back_hooks(request);
	conclude(request);
	/* The client may be slow to read: don't keep memory of the dead. */
	list_for_each_entry(t, &request->transitions, node)
		hpkm_target_leave(&t->target);
	send_report(request);

	mutex_lock(&running_lock);
	list_del(&request->node);
	running_count--;
	mutex_unlock(&running_lock);
	hpkm_request_free(request);
}

/**
 * hpkm_request_alloc() - a request that is to be filled in
 * @wanted: room for so many processes
 *
 * Return: The request, or NULL without memory.
 */
struct hpkm_request *hpkm_request_alloc(u32 wanted)
{
	struct hpkm_request *request = kzalloc(sizeof(*request), GFP_KERNEL);

	if (!request)
		return NULL;
	request->wanted = kvcalloc(wanted + 1, sizeof(*request->wanted),
				   GFP_KERNEL);
	if (!request->wanted) {
		kfree(request);
		return NULL;
	}
	INIT_WORK(&request->work, run);
	INIT_LIST_HEAD(&request->node);
	INIT_LIST_HEAD(&request->transitions);
	init_waitqueue_head(&request->wake);
	return request;
}

/**
 * hpkm_request_free() - a request that was not queued, or has run
 * @request: with everything that it refers to
 */
void hpkm_request_free(struct hpkm_request *request)
{
	struct hpkm_transition *t, *next;

	list_for_each_entry_safe(t, next, &request->transitions, node)
		free_transition(t);
	for (u32 i = 0; i < request->wanted_count; i++)
		put_pid(request->wanted[i].group);
	kvfree(request->wanted);
	hpkm_bindings_free(&request->bindings);
	kvfree(request->answers);
	kvfree(request->stale);
	if (request->patch)
		hpkm_patch_put(request->patch);
	kfree(request);
}

/**
 * hpkm_request_queue() - let a worker run a request
 * @request: belongs to the worker when this succeeds
 *
 * Context: Process context, takes running_lock.
 * Return: 0; -EBUSY when too many are running; -ESHUTDOWN.
 */
int hpkm_request_queue(struct hpkm_request *request)
{
	int ret = 0;

	mutex_lock(&running_lock);
	if (closing)
		ret = -ESHUTDOWN;
	else if (running_count >= RUNNING_MAX)
		ret = -EBUSY;
	if (!ret) {
		list_add_tail(&request->node, &running);
		running_count++;
		queue_work(workers, &request->work);
	}
	mutex_unlock(&running_lock);
	return ret;
}

static void cancel_locked(struct hpkm_request *request)
{
	WRITE_ONCE(request->cancelled, true);
	wake_up(&request->wake);
}

/**
 * hpkm_request_cancel() - a client has gone
 * @portid: of its socket
 *
 * What was not committed will not be.
 *
 * Context: Process context, takes running_lock.
 */
void hpkm_request_cancel(u32 portid)
{
	struct hpkm_request *request;

	mutex_lock(&running_lock);
	list_for_each_entry(request, &running, node)
		if (request->portid == portid)
			cancel_locked(request);
	mutex_unlock(&running_lock);
}

/**
 * hpkm_request_answer() - a client says which words are stale
 * @portid: of its socket
 * @seq: sequence number of its request
 * @stale: the words; what was said before is known still
 * @count: how many
 *
 * Context: Process context, takes running_lock.
 * Return: 0; -ENOENT when no such request runs; -E2BIG, -ENOMEM.
 */
int hpkm_request_answer(u32 portid, u32 seq, const struct hpkm_stale *stale,
			u32 count)
{
	struct hpkm_request *request, *found = NULL;
	struct hpkm_stale *all, *old;
	u32 old_count;
	int ret = -ENOENT;

	mutex_lock(&running_lock);
	list_for_each_entry(request, &running, node)
		if (request->portid == portid && request->seq == seq)
			found = request;
	if (!found)
		goto out;
	/* Only the worker replaces the list that it uses, under the lock. */
	old = found->answers ?: found->stale;
	old_count = found->answers ? found->answer_count : found->stale_count;
	ret = -E2BIG;
	if (count > STALE_MAX - old_count)
		goto out;
	ret = -ENOMEM;
	all = kvmalloc_array(old_count + count, sizeof(*all), GFP_KERNEL);
	if (!all)
		goto out;
	if (old_count)
		memcpy(all, old, old_count * sizeof(*all));
	memcpy(all + old_count, stale, count * sizeof(*all));
	kvfree(found->answers);
	found->answers = all;
	WRITE_ONCE(found->answer_count, old_count + count);
	wake_up(&found->wake);
	ret = 0;
out:
	mutex_unlock(&running_lock);
	return ret;
}

int hpkm_request_init(const struct hpkm_reporter *reporter)
{
	report = reporter;
	workers = alloc_workqueue("hpkm", WQ_UNBOUND | WQ_HIGHPRI, RUNNING_MAX);
	return workers ? 0 : -ENOMEM;
}

/* Cancels all that runs and waits for its end. */
void hpkm_request_exit(void)
{
	struct hpkm_request *request;

	mutex_lock(&running_lock);
	closing = true;
	list_for_each_entry(request, &running, node)
		cancel_locked(request);
	mutex_unlock(&running_lock);
	destroy_workqueue(workers);
}
