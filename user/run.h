/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One run of apply or revert (stage 5): what both have in common between the
 * command line and the report.
 */
#ifndef HPKM_RUN_H
#define HPKM_RUN_H

#include "extern.h"
#include "failure.h"
#include "nl.h"
#include "reply.h"
#include "request.h"

struct hpkm_run {
	struct hpkm_request request;
	struct hpkm_bindings bindings;
	struct hpkm_outcome outcome;
	struct hpkm_failure failure;
	struct hpkm_nl *nl;
	struct hpkm_list doubts;	/* struct hpkm_doubt: those that count */
};

/*
 * Each returns an enum hpkm_exit; when that is not HPKM_EXIT_OK, the failure
 * is set.
 */

/* See that the pids name processes, and connect. */
int hpkm_run_start(struct hpkm_run *run);
/* Look in the processes for what the externs of a checked image stand for. */
int hpkm_run_bind(struct hpkm_run *run, const void *image);
/* Have the switch made, and judge its outcome. */
int hpkm_run_transition(struct hpkm_run *run, enum hpkm_transition which,
			const char *patch);
void hpkm_run_free(struct hpkm_run *run);

/* The exit status that an outcome amounts to. */
int hpkm_run_verdict(const struct hpkm_outcome *outcome);

#endif /* HPKM_RUN_H */
