/* SPDX-License-Identifier: GPL-2.0 */
/* A request to apply or revert, from its acceptance to its report. */
#ifndef _HPKM_REQUEST_H
#define _HPKM_REQUEST_H

#include <linux/hashtable.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "threads.h"

/**
 * struct hpkm_wanted - a process that was named
 * @group: holds a reference
 * @start_time: as in /proc/PID/stat; 0: any
 */
struct hpkm_wanted {
	struct pid *group;
	u64 start_time;
};

struct hpkm_reporter;

/**
 * struct hpkm_request - what a client asked for, and what came of it
 * @report: where the outcome goes
 * @work: runs it
 * @node: among the running ones
 * @portid: who asked; results go there
 * @seq: sequence number of the request
 * @patch: to be applied; NULL: a revert
 * @name: of the patch
 * @all: every process that there is something to do for
 * @each: each process on its own: one that can't be switched keeps no other
 *	from it
 * @dry_run: all but the commit
 * @skip_hooks: a revert does not wait for revert hooks, which don't run
 * @consistency: what must hold of threads
 * @distance: bytes
 * @wait_ms: until the deadline
 * @wanted: the processes, unless @all
 * @wanted_count: how many
 * @bindings: of the patch's externs, for all targets
 * @cancelled: the client has gone; set once, read without a lock
 * @wake: to end the back-off
 * @answers: words that the client says are stale, under running_lock
 * @answer_count: of those; read without a lock to see that there are some
 * @transitions: of every target so far; while each is on its own, of that one
 * @by_mm: all of them, by address space
 * @threads: what the last attempt found of sleeping threads
 * @stale: words that the client said are stale
 * @stale_count: how many
 * @status: of the whole
 * @why: text for people, when there is no target to say it of
 * @pause_ns: the longest stop that switched something
 * @attempts: stops
 * @words: stack words that the last stop looked at
 *
 * Fields above @cancelled are constant once the request is queued; those below
 * belong to the worker.
 */
struct hpkm_request {
	const struct hpkm_reporter *report;
	struct work_struct work;
	struct list_head node;
	u32 portid;
	u32 seq;
	struct hpkm_patch *patch;
	char name[HPKM_NAME_MAX + 1];
	bool all;
	bool each;
	bool dry_run;
	bool skip_hooks;
	enum hpkm_consistency consistency;
	u32 distance;
	u32 wait_ms;
	struct hpkm_wanted *wanted;
	u32 wanted_count;
	struct hpkm_bindings bindings;

	bool cancelled;
	wait_queue_head_t wake;
	struct hpkm_stale *answers;
	u32 answer_count;

	struct list_head transitions;
	DECLARE_HASHTABLE(by_mm, 8);
	struct hpkm_threads threads;
	struct hpkm_stale *stale;
	u32 stale_count;
	enum hpkm_status status;
	char why[HPKM_WHY_SIZE];
	u64 pause_ns;
	u32 attempts;
	u64 words;
};

static inline bool hpkm_request_cancelled(const struct hpkm_request *request)
{
	return READ_ONCE(request->cancelled);
}

/*
 * Where the outcome goes.  result, doubt and done sleep until the client has
 * room for the message; they return an error when it has gone.
 */
struct hpkm_reporter {
	int (*result)(struct hpkm_request *request,
		      const struct hpkm_transition *t);
	int (*doubt)(struct hpkm_request *request,
		     const struct hpkm_transition *t,
		     const struct hpkm_doubt *doubt);
	int (*done)(struct hpkm_request *request);
	void (*notice)(const struct hpkm_request *request, enum hpkm_event event,
		       const struct hpkm_transition *t);
};

struct hpkm_request *hpkm_request_alloc(u32 wanted);
void hpkm_request_free(struct hpkm_request *request);

int hpkm_request_init(const struct hpkm_reporter *reporter);
void hpkm_request_exit(void);

#endif /* _HPKM_REQUEST_H */
