// SPDX-License-Identifier: GPL-2.0
/*
 * One run of apply or revert (stage 5).  All targets of a request switch in
 * one stop or none does, so a pid that names no process ends the run before
 * anything is asked of the kernel.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/hpkm.h>

#include "blocked.h"
#include "doubt.h"
#include "hpkm.h"
#include "process.h"
#include "run.h"

/*
 * What a target's status counts for.  The weightiest of a run decides; a
 * target that is ready only waited for the others.
 */
static const struct {
	int weight;
	int exit;
	const char *why;	/* when nobody has said it better */
	const char *advice;
} verdicts[] = {
	[HPKM_STATUS_READY]	= { .weight = 0, .exit = HPKM_EXIT_NOTHING },
	[HPKM_STATUS_GONE]	= { .weight = 1, .exit = HPKM_EXIT_NOTHING },
	[HPKM_STATUS_APPLIED]	= { .weight = 2, .exit = HPKM_EXIT_OK },
	[HPKM_STATUS_REVERTED]	= { .weight = 2, .exit = HPKM_EXIT_OK },
	[HPKM_STATUS_ALREADY]	= { .weight = 2, .exit = HPKM_EXIT_OK },
	[HPKM_STATUS_DRY_RUN]	= { .weight = 2, .exit = HPKM_EXIT_OK },
	[HPKM_STATUS_BUSY]	= {
		.weight = 3, .exit = HPKM_EXIT_BUSY,
		.why = "threads were in the way until the deadline",
		.advice = "nothing was changed; try again, with a longer --wait",
	},
	[HPKM_STATUS_REFUSED]	= {
		.weight = 4, .exit = HPKM_EXIT_REFUSED,
		.why = "a process is not patchable, or not of the build that the patch is for",
		.advice = "nothing was changed; 'hpkm-inspect' shows what a patch is for",
	},
	[HPKM_STATUS_ERROR]	= {
		.weight = 5, .exit = HPKM_EXIT_ERROR,
		.why = "the kernel could not do it",
		.advice = "nothing was changed",
	},
};

static const char no_process[] =
	"nothing was changed; see that the process runs, and is of the build that the patch is for";

static const char of_each[] =
	"nothing was changed in this one; the others were tried on their own";

static uint32_t known(uint32_t status)
{
	return status < sizeof(verdicts) / sizeof(*verdicts) ?
	       status : HPKM_STATUS_ERROR;
}

static uint32_t weightier(uint32_t one, uint32_t two)
{
	return verdicts[two].weight > verdicts[one].weight ? two : one;
}

static uint32_t verdict_status(const struct hpkm_outcome *outcome)
{
	const struct hpkm_target *targets = outcome->targets.items;
	uint32_t verdict = HPKM_STATUS_READY;

	for (size_t i = 0; i < outcome->targets.count; i++)
		verdict = weightier(verdict, known(targets[i].status));
	/* The whole cannot be better than its parts, but can be worse. */
	if (hpkm_reply_has(outcome->present, HPKM_A_STATUS) &&
	    verdicts[known(outcome->status)].exit != HPKM_EXIT_OK)
		verdict = weightier(verdict, known(outcome->status));
	return verdict;
}

int hpkm_run_verdict(const struct hpkm_outcome *outcome)
{
	return verdicts[verdict_status(outcome)].exit;
}

/* The words for the whole, else those of the target that decided. */
static const char *verdict_why(const struct hpkm_outcome *outcome,
			       uint32_t verdict)
{
	const struct hpkm_target *targets = outcome->targets.items;

	if (outcome->error && *outcome->error)
		return outcome->error;
	for (size_t i = 0; i < outcome->targets.count; i++)
		if (known(targets[i].status) == verdict && targets[i].error &&
		    *targets[i].error)
			return targets[i].error;
	return verdicts[verdict].why ? verdicts[verdict].why :
				       "no process matches";
}

/* A result of the tools' own, for a pid that the kernel is not asked about. */
static void add_result(struct hpkm_run *run, const struct hpkm_process *process,
		       uint32_t status, const char *error)
{
	struct hpkm_target *target;

	target = hpkm_list_add(&run->outcome.targets, &hpkm_target_record);
	if (!target)
		return;
	target->pid = process->pid;
	target->comm = strdup(process->comm);
	target->status = status;
	target->error = strdup(error);
}

/* The first bad pid is the failure; each of them has its result. */
static void fail_pid(struct hpkm_run *run, const struct hpkm_process *process,
		     int status, const char *why, const char *advice)
{
	char what[64];

	add_result(run, process, status == HPKM_EXIT_NOTHING ?
		   HPKM_STATUS_GONE : status == HPKM_EXIT_REFUSED ?
		   HPKM_STATUS_REFUSED : HPKM_STATUS_ERROR, why);
	if (run->failure.status)
		return;
	snprintf(what, sizeof(what), "process %u can't be used", process->pid);
	hpkm_failure_set(&run->failure, status, what, why, advice);
}

/* Return: whether the pid names a process. */
static bool check_pid(struct hpkm_run *run, struct hpkm_process *process)
{
	int error = hpkm_process_read(process->pid, process);
	char why[128];

	if (error == -ESRCH) {
		snprintf(why, sizeof(why), "there is no process %u",
			 process->pid);
		fail_pid(run, process, HPKM_EXIT_NOTHING, why,
			 run->request.each ? of_each :
			 "nothing was changed, in no process");
	} else if (error) {
		snprintf(why, sizeof(why), "/proc/%u can't be read: %s",
			 process->pid, strerror(-error));
		fail_pid(run, process, HPKM_EXIT_ERROR, why,
			 error == -ENOSYS ? "mount /proc" : NULL);
	} else if (process->tgid != process->pid) {
		snprintf(why, sizeof(why),
			 "%u is the id of a thread of process %u",
			 process->pid, process->tgid);
		fail_pid(run, process, HPKM_EXIT_ERROR, why,
			 "name the process: all its threads switch at once");
	} else {
		return true;
	}
	return false;
}

/* One that failed is the end, but for the others with --each. */
static bool is_over(const struct hpkm_run *run)
{
	const struct hpkm_request *request = &run->request;

	return run->failure.status &&
	       !(request->each && (request->all || request->pids_count));
}

/* Those that are no processes have their results, and are left out. */
static void check_pids(struct hpkm_run *run)
{
	struct hpkm_request *request = &run->request;
	size_t kept = 0;

	for (size_t i = 0; i < request->pids_count; i++) {
		struct hpkm_process *process = &request->pids[i];

		if (check_pid(run, process))
			request->pids[kept++] = *process;
	}
	request->pids_count = kept;
}

int hpkm_run_start(struct hpkm_run *run)
{
	int error;

	check_pids(run);
	if (is_over(run))
		return run->failure.status;
	error = hpkm_nl_open(&run->nl);
	if (error)
		return hpkm_failure_errno(&run->failure, HPKM_STEP_OPEN, error,
					  "the kernel can't be asked", "");
	hpkm_nl_catch_signals();
	return HPKM_EXIT_OK;
}

/* Return: whether the patch can be had there. */
static bool bind_one(struct hpkm_run *run, const void *image,
		     const struct hpkm_process *process)
{
	char why[256];

	if (hpkm_extern_bind(&run->bindings, image, process->pid, why,
			     sizeof(why)) >= 0)
		return true;
	/* Each of all on its own: the kernel refuses it, and says so. */
	if (!run->request.each || !run->request.all)
		fail_pid(run, process, HPKM_EXIT_REFUSED, why,
			 run->request.each ? of_each :
			 "nothing was changed, in no process");
	return false;
}

static void bind_all(struct hpkm_run *run, const void *image)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct hpkm_process process;
		char *end;
		unsigned long pid = strtoul(entry->d_name, &end, 10);

		if (pid && !*end && !hpkm_process_read(pid, &process))
			bind_one(run, image, &process);
	}
	if (dir)
		closedir(dir);
}

int hpkm_run_bind(struct hpkm_run *run, const void *image)
{
	struct hpkm_request *request = &run->request;
	size_t kept = 0;

	request->bindings = &run->bindings;
	if (request->all)
		bind_all(run, image);
	for (size_t i = 0; i < request->pids_count; i++)
		if (bind_one(run, image, &request->pids[i]))
			request->pids[kept++] = request->pids[i];
	request->pids_count = kept;
	return is_over(run) ? run->failure.status : HPKM_EXIT_OK;
}

/* While the kernel is at work. */
struct waiting {
	struct hpkm_run *run;
	unsigned int ticks;
	bool shown;
};

static void show_progress(void *data)
{
	struct waiting *waiting = data;

	if (!isatty(STDERR_FILENO))
		return;
	waiting->ticks++;
	waiting->shown = true;
	fprintf(stderr, "\r\033[Kwaiting until no thread is in the way: %u s",
		waiting->ticks / 2);
}

static void clear_progress(const struct waiting *waiting)
{
	if (waiting->shown)
		fprintf(stderr, "\r\033[K");
}

/* Of each thread what the last unwinding said, for the report. */
static void keep_doubt(struct hpkm_run *run, struct hpkm_doubt *doubt)
{
	struct hpkm_doubt *kept = run->doubts.items;

	for (size_t i = 0; i < run->doubts.count; i++) {
		if (kept[i].tid != doubt->tid)
			continue;
		hpkm_reply_clear(&hpkm_doubt_record, &kept[i]);
		kept[i].tid = doubt->tid;
		kept[i].why = doubt->why;
		doubt->why = NULL;
		return;
	}
	kept = hpkm_list_add(&run->doubts, &hpkm_doubt_record);
	if (!kept)
		return;
	kept->tid = doubt->tid;
	kept->why = doubt->why;
	doubt->why = NULL;
}

static void settle(struct hpkm_list *list, void *data)
{
	struct hpkm_doubt *doubts = list->items;
	struct waiting *waiting = data;

	hpkm_doubts_settle(list);
	for (size_t i = 0; i < list->count; i++)
		keep_doubt(waiting->run, &doubts[i]);
}

static void add_unwound(const struct hpkm_run *run, struct hpkm_target *target)
{
	const struct hpkm_doubt *doubts = run->doubts.items;
	struct hpkm_blocked *blocked = target->blocked.items;

	for (size_t i = 0; i < target->blocked.count; i++)
		for (size_t j = 0; j < run->doubts.count; j++)
			if (doubts[j].tid == blocked[i].tid &&
			    doubts[j].why && blocked[i].on_stack)
				blocked[i].unwound = strdup(doubts[j].why);
}

static void look_at_blocked(struct hpkm_run *run, enum hpkm_transition which)
{
	struct hpkm_target *targets = run->outcome.targets.items;

	for (size_t i = 0; i < run->outcome.targets.count; i++) {
		hpkm_blocked_look(&targets[i], &run->request, which);
		add_unwound(run, &targets[i]);
	}
}

static int judge(struct hpkm_run *run, const char *what)
{
	struct hpkm_outcome *outcome = &run->outcome;
	uint32_t verdict = verdict_status(outcome);
	const char *advice = verdicts[verdict].advice;

	if (hpkm_reply_has(outcome->present, HPKM_A_TARGETS) &&
	    outcome->found > outcome->targets.count)
		hpkm_warn("the results of %zu processes were lost",
			  outcome->found - outcome->targets.count);
	/* With --each, a pid that names no process is a failure already. */
	if (verdicts[verdict].exit == HPKM_EXIT_OK)
		return run->failure.status;
	if (run->request.each)
		advice = of_each;
	return hpkm_failure_set(&run->failure, verdicts[verdict].exit, what,
				verdict_why(outcome, verdict),
				advice ? advice : no_process);
}

int hpkm_run_transition(struct hpkm_run *run, enum hpkm_transition which,
			const char *patch)
{
	static const struct {
		enum hpkm_step step;
		const char *done;
	} words[] = {
		[HPKM_TRANSITION_APPLY] = { HPKM_STEP_APPLY, "applied" },
		[HPKM_TRANSITION_REVERT] = { HPKM_STEP_REVERT, "reverted" },
	};
	struct waiting waiting = { .run = run };
	const struct hpkm_nl_calls calls = {
		.tick = show_progress,
		.settle = settle,
		.data = &waiting,
	};
	char what[128];
	int error;

	error = hpkm_nl_transition(run->nl, which, patch, &run->request,
				   &run->outcome, &calls);
	clear_progress(&waiting);
	look_at_blocked(run, which);
	snprintf(what, sizeof(what), "%s was not %s", patch,
		 words[which].done);
	if (error)
		return hpkm_failure_errno(&run->failure, words[which].step,
					  error, what, hpkm_nl_words(run->nl));
	return judge(run, what);
}

void hpkm_run_free(struct hpkm_run *run)
{
	hpkm_nl_close(run->nl);
	run->nl = NULL;
	hpkm_reply_clear(&hpkm_outcome_record, &run->outcome);
	hpkm_list_clear(&run->doubts, &hpkm_doubt_record);
	hpkm_request_free(&run->request);
	hpkm_bindings_free(&run->bindings);
}
