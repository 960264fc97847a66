// SPDX-License-Identifier: GPL-2.0
/*
 * Stages 7 to 11 for one request: find its targets, switch them in rounds until
 * none is left or the deadline has come, report.
 *
 * A request runs in a kernel worker, never in its client's system call: a
 * client that waits holds no lock of generic netlink, and one that is killed
 * leaves either what was committed or nothing.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "collect.h"
#include "request.h"
#include "round.h"
#include "running.h"

static const struct hpkm_reporter *report;

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
	hpkm_round_run(request, jiffies);
	swap(request->threads, *t->sleepers);
	return t->status != HPKM_STATUS_BUSY;
}

/*
 * Each target that is ready on its own: one attempt for each, and all over
 * again for those that were busy, until the deadline.
 */
static void run_each(struct hpkm_request *request, unsigned long deadline)
{
	unsigned int delay_ms = HPKM_BACKOFF_MIN_MS;
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
	} while (busy && hpkm_running_back_off(request, deadline, &delay_ms));
	list_for_each_entry(t, &request->transitions, node)
		hpkm_threads_release(t->sleepers);
}

static bool switch_ready(struct hpkm_request *request, unsigned long deadline)
{
	bool done = true;

	if (request->each) {
		run_each(request, deadline);
	} else {
		done = hpkm_round_run(request, deadline);
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
		if (!hpkm_collect_wanted(request) &&
		    (request->each || !any_refused(request)))
			switch_ready(request, deadline);
		return;
	}
	do {
		if (hpkm_collect_all(request) || !any_ready(request))
			return;
		if (rounds++ && !time_before(jiffies, deadline)) {
			hpkm_round_give_up(request);
			return;
		}
	} while (switch_ready(request, deadline) && !request->dry_run &&
		 !hpkm_request_cancelled(request));
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
			request->report->notice(request, HPKM_EVENT_REFUSED, t);
		if (request->report->result(request, t))
			return;
	}
	request->report->done(request);
}

static void run(struct work_struct *work)
{
	struct hpkm_request *request =
		container_of(work, struct hpkm_request, work);
	struct hpkm_transition *t;

	run_rounds(request);
	hpkm_round_take_back_hooks(request);
	conclude(request);
	/* The client may be slow to read: don't keep memory of the dead. */
	list_for_each_entry(t, &request->transitions, node)
		hpkm_target_leave(&t->target);
	send_report(request);

	hpkm_running_end(request);
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
	request->report = report;
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
		hpkm_transition_free(t);
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

int hpkm_request_init(const struct hpkm_reporter *reporter)
{
	report = reporter;
	return hpkm_running_init();
}

/* Cancels all that runs and waits for its end. */
void hpkm_request_exit(void)
{
	hpkm_running_exit();
}
