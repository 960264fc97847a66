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

static void check_pid(struct hpkm_run *run, struct hpkm_process *process)
{
	int error = hpkm_process_read(process->pid, process);
	char why[128];

	if (error == -ESRCH) {
		snprintf(why, sizeof(why), "there is no process %u",
			 process->pid);
		fail_pid(run, process, HPKM_EXIT_NOTHING, why,
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
	}
}

int hpkm_run_start(struct hpkm_run *run)
{
	int error;

	for (size_t i = 0; i < run->request.pids_count; i++)
		check_pid(run, &run->request.pids[i]);
	if (run->failure.status)
		return run->failure.status;
	error = hpkm_nl_open(&run->nl);
	if (error)
		return hpkm_failure_errno(&run->failure, HPKM_STEP_OPEN, error,
					  "the kernel can't be asked", "");
	hpkm_nl_catch_signals();
	return HPKM_EXIT_OK;
}

static void bind_one(struct hpkm_run *run, const void *image,
		     const struct hpkm_process *process)
{
	char why[256];

	if (hpkm_extern_bind(&run->bindings, image, process->pid, why,
			     sizeof(why)) < 0)
		fail_pid(run, process, HPKM_EXIT_REFUSED, why,
			 "nothing was changed, in no process");
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
	run->request.bindings = &run->bindings;
	if (run->request.all)
		bind_all(run, image);
	for (size_t i = 0; i < run->request.pids_count; i++)
		bind_one(run, image, &run->request.pids[i]);
	return run->failure.status;
}

struct progress {
	unsigned int ticks;
	bool shown;
};

static void show_progress(void *data)
{
	struct progress *progress = data;

	if (!isatty(STDERR_FILENO))
		return;
	progress->ticks++;
	progress->shown = true;
	fprintf(stderr, "\r\033[Kwaiting until no thread is in the way: %u s",
		progress->ticks / 2);
}

static void clear_progress(const struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r\033[K");
}

/* Read at once, while the threads still wait where they did. */
static void add_waits(struct hpkm_outcome *outcome)
{
	struct hpkm_target *targets = outcome->targets.items;

	for (size_t i = 0; i < outcome->targets.count; i++) {
		struct hpkm_blocked *blocked = targets[i].blocked.items;

		for (size_t j = 0; j < targets[i].blocked.count; j++) {
			blocked[j].wchan = hpkm_process_waits(blocked[j].tid,
							      "wchan");
			blocked[j].syscall = hpkm_process_waits(blocked[j].tid,
								"syscall");
		}
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
	if (verdicts[verdict].exit == HPKM_EXIT_OK)
		return HPKM_EXIT_OK;
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
	struct progress progress = { 0 };
	char what[128];
	int error;

	error = hpkm_nl_transition(run->nl, which, patch, &run->request,
				   &run->outcome, show_progress, &progress);
	clear_progress(&progress);
	add_waits(&run->outcome);
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
	hpkm_request_free(&run->request);
	hpkm_bindings_free(&run->bindings);
}
