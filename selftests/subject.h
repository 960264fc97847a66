/* SPDX-License-Identifier: GPL-2.0 */
/* A target for tests in C, and what they see of it and of the module. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "targets/load.h"

struct subject {
	pid_t pid;
	const struct stats *stats;
	int commands;		/* its standard input */
	char path[32];		/* of its stats */
};

/* targets/load of the usual kind.  Return: false when it does not start. */
bool subject_start(struct subject *subject, int busy, int sleeping);
void subject_end(struct subject *subject);
/* Soon, busy threads get this version's answers. */
bool subject_runs(const struct subject *subject, unsigned long version);

/* Wait until it is true; false when patience ends. */
bool soon(bool (*condition)(void));

void read_text(const char *path, char *text, size_t size);

bool is_loaded(void);		/* is any patch? */
bool nothing_left(void);	/* nor is the module in use */

#endif /* SUBJECT_H */
