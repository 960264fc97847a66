// SPDX-License-Identifier: GPL-2.0
/* hpkm monitor: follow what happens to patches and processes (stage 11). */
#include <errno.h>
#include <stdio.h>

#include "blocked.h"
#include "failure.h"
#include "hpkm.h"
#include "nl.h"
#include "report.h"
#include "request.h"

static const struct hpkm_usage monitor_usage = {
	.command = "monitor",
	.help = "Print a line for each event, until interrupted.",
	.takes = HPKM_TAKES_JSON,
};

static void on_notice(struct hpkm_notice *notice, void *data)
{
	const struct hpkm_request *request = data;

	/* Whose request it is does not tell. */
	hpkm_blocked_look(&notice->target, NULL, HPKM_TRANSITION_APPLY);
	hpkm_report_notice(request->json, notice);
}

static void on_lost(void *data)
{
	const struct hpkm_request *request = data;

	hpkm_report_lost(request->json);
}

int cmd_monitor(int argc, char **argv)
{
	struct hpkm_failure failure = { 0 };
	struct hpkm_request request;
	struct hpkm_nl *nl = NULL;
	int status, error;

	if (!hpkm_request_parse(&monitor_usage, argc, argv, &request, &status))
		goto out;
	error = hpkm_nl_open(&nl);
	if (error) {
		status = hpkm_failure_errno(&failure, HPKM_STEP_OPEN, error,
					    "the kernel can't be asked", "");
		goto report;
	}
	hpkm_nl_catch_signals();
	error = hpkm_nl_join(nl);
	if (error) {
		status = hpkm_failure_errno(&failure, HPKM_STEP_MONITOR, error,
					    "the events can't be followed", "");
		goto report;
	}
	error = hpkm_nl_follow(nl, on_notice, on_lost, &request);
	status = HPKM_EXIT_OK;
	if (error != -EINTR)
		status = hpkm_failure_errno(&failure, HPKM_STEP_MONITOR, error,
					    "the events have ended", "");
report:
	hpkm_failure_print(&failure);
out:
	hpkm_nl_close(nl);
	hpkm_request_free(&request);
	return status;
}
