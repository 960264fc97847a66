// SPDX-License-Identifier: GPL-2.0
/* hpkm-list: patches that are loaded, and processes patched (stage 11). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "hpkm.h"
#include "nl.h"
#include "process.h"
#include "report.h"
#include "request.h"

static const struct hpkm_usage list_usage = {
	.command = "list",
	.help = "Show the patches that are loaded and the processes that are patched.",
	.takes = HPKM_TAKES_PID | HPKM_TAKES_JSON,
};

static bool wanted(const struct hpkm_request *request, uint32_t pid)
{
	for (size_t i = 0; i < request->pids_count; i++)
		if (request->pids[i].pid == pid)
			return true;
	return !request->pids_count;
}

static bool listed(const struct hpkm_list *targets, uint32_t pid)
{
	const struct hpkm_patched *items = targets->items;

	for (size_t i = 0; i < targets->count; i++)
		if (items[i].pid == pid)
			return true;
	return false;
}

static void filter(const struct hpkm_request *request,
		   struct hpkm_list *targets)
{
	struct hpkm_patched *items = targets->items;
	size_t kept = 0;

	for (size_t i = 0; i < targets->count; i++) {
		if (wanted(request, items[i].pid)) {
			struct hpkm_patched item = items[i];

			items[i] = items[kept];
			items[kept++] = item;
		}
	}
	for (size_t i = kept; i < targets->count; i++)
		hpkm_reply_clear(&hpkm_patched_record, &items[i]);
	targets->count = kept;
}

/* A pid that is not patched is fine, as long as it names a process. */
static void check_pids(const struct hpkm_request *request,
		       const struct hpkm_list *targets,
		       struct hpkm_failure *failure)
{
	for (size_t i = 0; i < request->pids_count; i++) {
		struct hpkm_process process;
		uint32_t pid = request->pids[i].pid;
		char what[64];

		if (listed(targets, pid))
			continue;
		snprintf(what, sizeof(what), "process %u can't be shown", pid);
		if (hpkm_process_read(pid, &process) == -ESRCH)
			hpkm_failure_set(failure, HPKM_EXIT_NOTHING, what,
					 "there is no such process", NULL);
		else if (process.tgid != pid)
			hpkm_failure_set(failure, HPKM_EXIT_ERROR, what,
					 "this is the id of a thread",
					 "name the process");
	}
}

int cmd_list(int argc, char **argv)
{
	struct hpkm_list patches = { 0 }, targets = { 0 };
	struct hpkm_failure failure = { 0 };
	struct hpkm_request request;
	struct hpkm_nl *nl = NULL;
	size_t patched = 0;
	int status, error;

	if (!hpkm_request_parse(&list_usage, argc, argv, &request, &status))
		goto out;
	error = hpkm_nl_open(&nl);
	if (error) {
		hpkm_failure_errno(&failure, HPKM_STEP_OPEN, error,
				   "the kernel can't be asked", "");
		goto report;
	}
	error = hpkm_nl_patches(nl, &patches);
	if (!error)
		error = hpkm_nl_targets(nl, &targets);
	if (error) {
		hpkm_failure_errno(&failure, HPKM_STEP_LIST, error,
				   "the list can't be had", hpkm_nl_words(nl));
		goto report;
	}
	patched = targets.count;
	filter(&request, &targets);
	check_pids(&request, &targets, &failure);
report:
	status = hpkm_report_list(request.json, &patches, &targets, patched,
				  &failure);
out:
	hpkm_list_clear(&patches, &hpkm_loaded_record);
	hpkm_list_clear(&targets, &hpkm_patched_record);
	hpkm_nl_close(nl);
	hpkm_request_free(&request);
	return status;
}
