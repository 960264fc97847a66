/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A command that stage 1 runs: in a process group of its own, its output in a
 * log, ended when the user ends hpkm-build.
 */
#ifndef HPKM_JOB_H
#define HPKM_JOB_H

#include <stdbool.h>
#include <stddef.h>

struct hpkm_job {
	char *const *argv;
	char *const *env;	/* NULL: the caller's */
	const char *directory;	/* NULL: the caller's */
	/* Seen by the command in place of the directory, NULL: nothing. */
	const char *cover;
	const char *log;	/* its output is appended there */
	/* Called a few times a second while it runs; may be NULL. */
	void (*tick)(void *data);
	void *data;
};

/*
 * Between start and finish, signals that ask hpkm-build to end are held back,
 * so that there is time to clean up.  Finish lets them have their effect.
 */
void hpkm_job_start(void);
void hpkm_job_finish(void);
/* Has one come? */
bool hpkm_job_interrupted(void);

/*
 * Can a directory be covered: is a mount namespace to be had?  Unprivileged
 * users need user namespaces for it, which some systems and containers deny.
 */
bool hpkm_job_can_cover(void);

/*
 * Returns the exit status (128 + signal when one ended it), or -1: after a
 * message, or because of an interruption.
 */
int hpkm_job_run(const struct hpkm_job *job);

#endif /* HPKM_JOB_H */
