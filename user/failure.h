/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a command did not do what was asked (stage 11): what failed, why, and
 * what to do about it, with the exit status that belongs to it.
 */
#ifndef HPKM_FAILURE_H
#define HPKM_FAILURE_H

/* What was under way when an errno came; one bit each. */
enum hpkm_step {
	HPKM_STEP_OPEN		= 1 << 0,
	HPKM_STEP_LOAD		= 1 << 1,
	HPKM_STEP_APPLY		= 1 << 2,
	HPKM_STEP_REVERT	= 1 << 3,
	HPKM_STEP_LIST		= 1 << 4,
	HPKM_STEP_MONITOR	= 1 << 5,
};

struct hpkm_failure {
	int status;		/* enum hpkm_exit; 0: nothing failed */
	char what[256];
	char why[640];
	const char *advice;	/* NULL: there is none */
};

/* Return: the status, so that a caller can return it in turn. */
int hpkm_failure_set(struct hpkm_failure *failure, int status,
		     const char *what, const char *why, const char *advice);

/* "error" is a negative errno, "words" the kernel's; "" when it has none. */
int hpkm_failure_errno(struct hpkm_failure *failure, enum hpkm_step step,
		       int error, const char *what, const char *words);

/* On standard error, in three parts. */
void hpkm_failure_print(const struct hpkm_failure *failure);

#endif /* HPKM_FAILURE_H */
