// SPDX-License-Identifier: GPL-2.0
/* hpkm-apply: a patch object goes into running processes (stages 5 and 11). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hpkm.h"
#include "patchfile.h"
#include "report.h"
#include "run.h"

static const struct hpkm_usage apply_usage = {
	.command = "apply",
	.argument = "FIX.hpkm",
	.help = "Replace functions of running processes by those of a patch object.",
	.takes = HPKM_TAKES_TRANSITION,
};

static int load(struct hpkm_run *run, const struct hpkm_patchfile *file,
		const char *what, struct hpkm_loaded *patch)
{
	int error = hpkm_nl_load(run->nl, file->fd, file->offset, file->size,
				 patch);

	if (!error)
		return HPKM_EXIT_OK;
	return hpkm_failure_errno(&run->failure, HPKM_STEP_LOAD, error, what,
				  hpkm_nl_words(run->nl));
}

/* Sets the outcome or the failure of the run. */
static void apply(struct hpkm_run *run)
{
	struct hpkm_failure *failure = &run->failure;
	struct hpkm_patchfile file = { .fd = -1 };
	struct hpkm_loaded patch = { 0 };
	char what[192], why[256];
	void *image = NULL;

	snprintf(what, sizeof(what), "%s was not applied",
		 run->request.argument);
	if (hpkm_patchfile_open(&file, run->request.argument, why,
				sizeof(why))) {
		hpkm_failure_set(failure, HPKM_EXIT_ERROR, what, why,
				 "name a file that hpkm-build made");
		return;
	}
	run->outcome.patch = strdup(file.name);
	run->outcome.version = strdup(file.version);
	if (hpkm_run_start(run))
		goto out;
	image = hpkm_patchfile_externs(&file);
	if (image && hpkm_run_bind(run, image))
		goto out;
	if (load(run, &file, what, &patch))
		goto out;
	hpkm_run_transition(run, HPKM_TRANSITION_APPLY, patch.name);
out:
	free(image);
	hpkm_reply_clear(&hpkm_loaded_record, &patch);
	hpkm_patchfile_close(&file);
}

int cmd_apply(int argc, char **argv)
{
	struct hpkm_run run = { 0 };
	int status;

	if (!hpkm_request_parse(&apply_usage, argc, argv, &run.request,
				&status))
		goto out;
	apply(&run);
	status = hpkm_report_outcome(&run.request, &run.outcome, &run.failure);
out:
	hpkm_run_free(&run);
	return status;
}
