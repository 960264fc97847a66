// SPDX-License-Identifier: GPL-2.0
/*
 * Why a command did not do what was asked (stage 11).  The table binds what
 * the kernel answers to the exit statuses that scripts rely on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "hpkm.h"
#include "text.h"

#define TRANSITION	(HPKM_STEP_APPLY | HPKM_STEP_REVERT)
#define ANY		(~0U)

static const struct cause {
	unsigned int steps;	/* enum hpkm_step */
	int error;
	int status;
	const char *why;	/* when the kernel gave no words; NULL: errno */
	const char *advice;
} causes[] = {
	{ ANY, EPERM, HPKM_EXIT_ERROR, NULL,
	  "CAP_SYS_ADMIN and CAP_SYS_PTRACE in the initial user namespace are needed: run it as root" },
	{ HPKM_STEP_OPEN, ENOENT, HPKM_EXIT_ERROR,
	  "the hpkm kernel module is not loaded", "load it: modprobe hpkm" },
	{ HPKM_STEP_OPEN, ENONET, HPKM_EXIT_ERROR,
	  "the hpkm kernel module is loaded, but can't be reached from this network namespace",
	  "use the machine's own: nsenter --net=/proc/1/ns/net hpkm ..." },
	{ HPKM_STEP_LOAD, EINVAL, HPKM_EXIT_REFUSED,
	  "the kernel refuses the image",
	  "make the patch anew with hpkm-build" },
	{ HPKM_STEP_LOAD, EBADMSG, HPKM_EXIT_REFUSED,
	  "the kernel refuses the image",
	  "make the patch anew with hpkm-build" },
	{ HPKM_STEP_LOAD, EEXIST, HPKM_EXIT_REFUSED,
	  "another patch of this name is loaded",
	  "build it with another --name, or revert the other one first" },
	{ HPKM_STEP_LOAD, ENOEXEC, HPKM_EXIT_REFUSED,
	  "the image is for another machine", "build it for this machine" },
	{ HPKM_STEP_LOAD, EOPNOTSUPP, HPKM_EXIT_REFUSED,
	  "the image is for another machine", "build it for this machine" },
	{ HPKM_STEP_REVERT, ENOENT, HPKM_EXIT_NOTHING,
	  "no patch of this name is loaded",
	  "'hpkm-list' shows those that are" },
	{ TRANSITION, ESRCH, HPKM_EXIT_NOTHING, "no process matches",
	  "'hpkm-list' shows the processes that are patched" },
	{ TRANSITION, EINTR, HPKM_EXIT_ERROR,
	  "a signal came first, and the request was cancelled",
	  "nothing was changed, unless it was switching at that moment: 'hpkm-list' shows" },
	{ TRANSITION, ENOBUFS, HPKM_EXIT_ERROR,
	  "messages of the kernel were lost, so the outcome is not known",
	  "'hpkm-list' shows what was done" },
	{ HPKM_STEP_LIST, EAGAIN, HPKM_EXIT_ERROR,
	  "it changed each time while it was read", "try again" },
	{ HPKM_STEP_MONITOR, ENODEV, HPKM_EXIT_ERROR,
	  "the hpkm kernel module was unloaded",
	  "start it again when the module is loaded" },
};

int hpkm_failure_set(struct hpkm_failure *failure, int status,
		     const char *what, const char *why, const char *advice)
{
	failure->status = status;
	failure->advice = advice;
	snprintf(failure->what, sizeof(failure->what), "%s", what);
	snprintf(failure->why, sizeof(failure->why), "%s", why);
	return status;
}

int hpkm_failure_errno(struct hpkm_failure *failure, enum hpkm_step step,
		       int error, const char *what, const char *words)
{
	const struct cause *cause = NULL;
	char why[sizeof(failure->why)];

	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++) {
		if (causes[i].steps & step && causes[i].error == -error) {
			cause = &causes[i];
			break;
		}
	}
	if (*words)
		snprintf(why, sizeof(why), "the kernel says: %s", words);
	else
		snprintf(why, sizeof(why), "%s", cause && cause->why ?
			 cause->why : strerror(-error));
	return hpkm_failure_set(failure,
				cause ? cause->status : HPKM_EXIT_ERROR, what,
				why, cause ? cause->advice : NULL);
}

void hpkm_failure_print(const struct hpkm_failure *failure)
{
	char what[HPKM_PRINTABLE(sizeof(failure->what))];
	char why[HPKM_PRINTABLE(sizeof(failure->why))];

	if (!failure->status)
		return;
	hpkm_error("%s",
		   hpkm_text_printable(what, sizeof(what), failure->what));
	if (*failure->why)
		hpkm_detail("%s", hpkm_text_printable(why, sizeof(why),
						      failure->why));
	if (failure->advice)
		hpkm_detail("%s", failure->advice);
}
