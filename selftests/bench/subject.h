/* SPDX-License-Identifier: GPL-2.0 */
/* A target that runs, and giving it orders. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <sys/types.h>

#include "control.h"

struct subject {
	struct control *control;
	pid_t pid;
	int processes;
	uint64_t *addresses;	/* of its functions */
};

struct subject_shape {
	int processes;
	int threads;		/* of each process, besides its first */
	int busy;		/* of these */
	int depth;		/* bytes of stack in use */
};

/* @program is DIR/target.  Returns when every thread is where it shall be. */
void subject_start(struct subject *subject, const char *program,
		   const struct subject_shape *shape);
void subject_end(struct subject *subject);

/* The first process reads the clock, until the longest gap (ns) is asked. */
void subject_watch(struct subject *subject);
uint64_t subject_gap(struct subject *subject);

/* The first process calls functions, until their number is asked for. */
void subject_count(struct subject *subject);
uint64_t subject_counted(struct subject *subject);

/*
 * Every process calls every function.  Returns the version that all of them
 * are, or 0.
 */
int subject_version(struct subject *subject);

#endif /* SUBJECT_H */
