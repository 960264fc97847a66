/* SPDX-License-Identifier: GPL-2.0 */
/* The page that a target of the bench shares with who measures it. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdint.h>

#define PROCESSES_MAX	1000

enum task {
	TASK_WATCH,	/* read the clock until `stop` */
	TASK_CALL,	/* call every function, once */
	TASK_COUNT,	/* call functions until `stop`, and count */
};

/* Words that are waited for are futexes. */
struct control {
	uint32_t ready;		/* threads that are where they shall be */
	uint32_t interrupted;	/* system calls that returned: none should */
	uint32_t task;
	uint32_t stop;		/* ends TASK_WATCH and TASK_COUNT */
	uint32_t begun;		/* processes that have begun a task, */
	uint32_t done;		/* that have finished it */
	uint64_t gap;		/* longest gap between two readings, ns */
	uint64_t count;		/* of TASK_COUNT */
	uint64_t version_sum;	/* of all functions of all processes */
	uint64_t table;		/* where the functions' addresses are, */
	uint64_t functions;	/* and how many */
	uint64_t jump_to;	/* a function that no patch replaces */
	uint32_t pid[PROCESSES_MAX];
	uint32_t order[PROCESSES_MAX];	/* number of the last order */
};

#endif /* CONTROL_H */
