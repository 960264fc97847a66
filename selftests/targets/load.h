/* SPDX-License-Identifier: GPL-2.0 */
/* What load, its replaced functions and its observers share. */
#ifndef LOAD_H
#define LOAD_H

#include <stdint.h>

#define VERSIONS	8	/* answers are 8 * x + 1 to 7 */
#define BUSY_MAX	64
#define CHILDREN_MAX	64

/* Of one busy thread. */
struct busy_stats {
	uint64_t calls;
	uint64_t last;		/* version that answered last */
};

/* Of one process: load itself, or a child that it forked. */
struct process_stats {
	uint64_t pid;		/* in its own pid namespace */
	uint64_t wrong;		/* answers of no version */
	uint64_t other;		/* version of other() that answered last */
	uint64_t slow;		/* version that slow() or around() answered */
	uint64_t busy_count;
	uint64_t answers[VERSIONS];
	struct busy_stats busy[BUSY_MAX];
};

/* The file that load maps and others read. */
struct stats {
	uint64_t ready;		/* threads that are where they shall be */
	uint64_t early;		/* system calls that returned: none may */
	uint64_t early_kind;	/* the last one: index of its kind */
	uint64_t early_errno;
	uint64_t commands;	/* of standard input that were carried out */
	uint64_t children;
	uint64_t handlers;	/* signal handlers entered */
	uint64_t made;		/* short threads and children */
	struct process_stats process[CHILDREN_MAX + 1];
};

unsigned long tell(unsigned long y);
unsigned long answer(unsigned long x);
unsigned long slow(unsigned long x, int fd);
unsigned long around(unsigned long x, void (*within)(void));
unsigned long other(unsigned long x);

#endif /* LOAD_H */
