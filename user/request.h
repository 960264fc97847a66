/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the operator asks for (stage 5): the command line of apply, revert,
 * list and monitor as one struct.
 */
#ifndef HPKM_REQUEST_H
#define HPKM_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"

/* The options that a command takes. */
enum hpkm_takes {
	HPKM_TAKES_PID		= 1 << 0,
	HPKM_TAKES_ALL		= 1 << 1,
	HPKM_TAKES_DRY_RUN	= 1 << 2,
	HPKM_TAKES_WAIT		= 1 << 3,
	HPKM_TAKES_CONSISTENCY	= 1 << 4,
	HPKM_TAKES_DISTANCE	= 1 << 5,
	HPKM_TAKES_EACH		= 1 << 6,
	HPKM_TAKES_JSON		= 1 << 7,
	HPKM_TAKES_SKIP_HOOKS	= 1 << 8,
	/* Exactly one of --pid and --all has to be given. */
	HPKM_NEEDS_TARGETS	= 1 << 9,
	/* What a command has that changes processes. */
	HPKM_TAKES_TRANSITION	= HPKM_NEEDS_TARGETS | HPKM_TAKES_PID |
				  HPKM_TAKES_ALL | HPKM_TAKES_EACH |
				  HPKM_TAKES_DRY_RUN | HPKM_TAKES_WAIT |
				  HPKM_TAKES_CONSISTENCY |
				  HPKM_TAKES_DISTANCE | HPKM_TAKES_JSON,
};

struct hpkm_bindings;

struct hpkm_usage {
	const char *command;
	unsigned int takes;	/* enum hpkm_takes */
	const char *argument;	/* what the one argument is; NULL: none */
	const char *help;
};

struct hpkm_request {
	const char *argument;	/* a file, or the name of a patch */
	struct hpkm_process *pids;
	size_t pids_count;
	bool all;
	bool each;
	bool dry_run;
	bool skip_hooks;
	bool json;
	uint32_t consistency;	/* enum hpkm_consistency */
	uint32_t distance;
	uint32_t wait_ms;
	const struct hpkm_bindings *bindings;	/* apply; or NULL */
};

/*
 * Return: true; or false, with the exit status in "status", all having been
 * said.  The caller frees the request either way.
 */
bool hpkm_request_parse(const struct hpkm_usage *usage, int argc, char **argv,
			struct hpkm_request *request, int *status);
void hpkm_request_free(struct hpkm_request *request);

#endif /* HPKM_REQUEST_H */
