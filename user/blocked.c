// SPDX-License-Identifier: GPL-2.0
/* Threads that are in the way: what they do, and what can be done (stage 11). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/hpkm.h>

#include "blocked.h"
#include "process.h"
#include "request.h"
#include "syscall.h"

/* What the kernel says in place of a function, and what can be done then. */
static const struct {
	const char *func;
	const char *advice;
} special[] = {
	{ "(another request is under way)",
	  "wait for it to end ('hpkm monitor' follows it), or give --wait longer than it takes" },
	{ "(stacks are too large)",
	  "more stack is in use than is looked through in one stop: try when it is less, or each process with --each" },
	{ "(stack not in memory)",
	  "its stack is swapped out as fast as it is read, or a userfaultfd has to bring it: try when there is more free memory, or that has been done" },
	{ "(a signal is being delivered)",
	  "this passes by itself: a longer --wait" },
	{ "(alternate signal stack)",
	  "what its handler interrupted can't be found: try when the handler has returned" },
	{ "(a process or thread is being made)",
	  "this passes by itself: a longer --wait" },
	{ "(its memory map is being changed)",
	  "this passes by itself: a longer --wait" },
	{ "(too many new threads)",
	  "this passes by itself: a longer --wait" },
	{ "(too much memory to look through)",
	  "the machine would stand still for too long: --consistency stack looks through stacks only" },
	{ "(memory not present)",
	  "its memory is swapped out as fast as it is read, or a userfaultfd has to bring it: try when there is more free memory, or that has been done" },
	{ "(unreadable stack)",
	  "its stack is device memory or protected: try when it runs on another" },
};

static const char *advise_special(const char *func)
{
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (!strcmp(special[i].func, func))
			return special[i].advice;
	return "try again with a longer --wait";
}

/* It sleeps in an old function or will return to one. */
static const char *advise_sleeper(const struct hpkm_request *request,
				  enum hpkm_transition which)
{
	if (request->consistency == HPKM_CONSISTENCY_IP)
		return "wait until it returns, or make it: by a request to it, for example";
	if (which == HPKM_TRANSITION_REVERT)
		return "wait until it returns, or make it: by a request to it, for example; or, if it may go on in the patch's code while others run without: --consistency ip";
	return "wait until it returns, or make it: by a request to it, for example; or, if old and new code may meet: --consistency ip";
}

static const char *advise(const struct hpkm_blocked *blocked, char state,
			  const struct hpkm_request *request,
			  enum hpkm_transition which)
{
	if (blocked->func && *blocked->func == '(')
		return advise_special(blocked->func);
	if (!blocked->tid)
		return "a coroutine is parked there, or a pointer is kept: wait until it is used up; or, if neither can be, --consistency stack";
	switch (state) {
	case 'T':
		return "it is stopped there: continue it, with SIGCONT";
	case 't':
		return "a debugger has stopped it there: let it go on";
	case 'R':
		return "it runs, and passes there often: a longer --wait";
	case 'D':
		return "it waits for a device or a file system there, and leaves when that answers: a longer --wait";
	case 'S':
		return request ? advise_sleeper(request, which) :
				 "it has to return from there";
	}
	return NULL;
}

/* /proc shows a number, "running", or -1 when it is not in a system call. */
static char *call_of(uint32_t tid)
{
	char *text = hpkm_process_waits(tid, "syscall");
	const char *name;
	char *end;
	long number;

	if (!text)
		return NULL;
	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || *end || end == text)
		return text;
	name = number < 0 ? "none" : hpkm_syscall_name(number);
	if (!name)
		return text;
	free(text);
	return strdup(name);
}

void hpkm_blocked_look(struct hpkm_target *target,
		       const struct hpkm_request *request,
		       enum hpkm_transition which)
{
	struct hpkm_blocked *blocked = target->blocked.items;

	for (size_t i = 0; i < target->blocked.count; i++) {
		struct hpkm_blocked *b = &blocked[i];
		const char *advice;
		char state = 0;

		if (b->tid) {
			state = hpkm_process_state(b->tid);
			b->wchan = hpkm_process_waits(b->tid, "wchan");
			b->syscall = call_of(b->tid);
		}
		advice = advise(b, state, request, which);
		if (advice)
			b->advice = strdup(advice);
	}
}
