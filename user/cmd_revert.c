// SPDX-License-Identifier: GPL-2.0
/* hpkm-revert: a patch leaves running processes (stages 5 and 11). */
#include <string.h>

#include "hpkm.h"
#include "report.h"
#include "run.h"

static const struct hpkm_usage revert_usage = {
	.command = "revert",
	.argument = "NAME",
	.help = "Take a patch out of running processes.",
	.takes = HPKM_TAKES_TRANSITION | HPKM_TAKES_SKIP_HOOKS,
};

/* Sets the outcome or the failure of the run. */
static void revert(struct hpkm_run *run)
{
	const char *patch = run->request.argument;

	run->outcome.patch = strdup(patch);
	if (!hpkm_run_start(run))
		hpkm_run_transition(run, HPKM_TRANSITION_REVERT, patch);
}

int cmd_revert(int argc, char **argv)
{
	struct hpkm_run run = { 0 };
	int status;

	if (!hpkm_request_parse(&revert_usage, argc, argv, &run.request,
				&status))
		goto out;
	revert(&run);
	status = hpkm_report_outcome(&run.request, &run.outcome, &run.failure);
out:
	hpkm_run_free(&run);
	return status;
}
