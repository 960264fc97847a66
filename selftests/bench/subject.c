// SPDX-License-Identifier: GPL-2.0
/* A target that runs, and giving it orders. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "subject.h"

#define PATIENCE	(180 * 1000000000ULL)

/* Until a counter of the target has got there. */
static void await(struct subject *subject, const uint32_t *counter,
		  uint32_t value, const char *what)
{
	uint64_t end = bench_now() + PATIENCE;

	while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) < value) {
		if (waitpid(subject->pid, NULL, WNOHANG) == subject->pid)
			bench_die("the target has ended, before: %s", what);
		if (bench_now() > end)
			bench_die("the target does not get to: %s", what);
		usleep(500);
	}
}

static void order(struct subject *subject, enum task task, int processes)
{
	struct control *control = subject->control;

	control->task = task;
	control->stop = 0;
	control->begun = 0;
	control->done = 0;
	for (int i = 0; i < processes; i++) {
		__atomic_fetch_add(&control->order[i], 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &control->order[i], FUTEX_WAKE, INT_MAX,
			NULL, NULL, 0);
	}
}

/* Where its functions are is read from its memory. */
static void read_addresses(struct subject *subject)
{
	struct control *control = subject->control;
	size_t size = control->functions * sizeof(uint64_t);
	struct iovec here, there;

	subject->addresses = malloc(size);
	here = (struct iovec){ subject->addresses, size };
	there = (struct iovec){ (void *)control->table, size };
	if (!subject->addresses ||
	    process_vm_readv(subject->pid, &here, 1, &there, 1, 0) !=
	    (ssize_t)size)
		bench_die("the target's functions");
}

void subject_start(struct subject *subject, const char *program,
		   const struct subject_shape *shape)
{
	char text[5][32];
	int fd;

	fd = memfd_create("control", 0);
	if (fd < 0 || ftruncate(fd, sizeof(*subject->control)))
		bench_die("memfd");
	subject->control = mmap(NULL, sizeof(*subject->control),
				PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (subject->control == MAP_FAILED)
		bench_die("mmap");
	snprintf(text[0], sizeof(*text), "/proc/self/fd/%d", fd);
	snprintf(text[1], sizeof(*text), "%d", shape->processes);
	snprintf(text[2], sizeof(*text), "%d", shape->threads);
	snprintf(text[3], sizeof(*text), "%d", shape->busy);
	snprintf(text[4], sizeof(*text), "%d", shape->depth);
	subject->processes = shape->processes;
	subject->pid = fork();
	if (!subject->pid) {
		/* A session of its own has a CPU share of its own. */
		setsid();
		execl(program, "target", text[0], text[1], text[2], text[3],
		      text[4], NULL);
		_exit(127);
	}
	if (subject->pid < 0)
		bench_die("fork");
	close(fd);
	await(subject, &subject->control->ready,
	      shape->processes * (shape->threads + 1), "being ready");
	/* The last ones are on the way into their system calls. */
	usleep(200000);
	read_addresses(subject);
}

void subject_end(struct subject *subject)
{
	uint64_t end = bench_now() + PATIENCE;

	/* The target reaps its children, and is the last. */
	for (int i = 1; i < subject->processes; i++)
		kill(subject->control->pid[i], SIGKILL);
	for (int i = 1; i < subject->processes; i++)
		while (!kill(subject->control->pid[i], 0) && bench_now() < end)
			usleep(1000);
	kill(subject->pid, SIGKILL);
	waitpid(subject->pid, NULL, 0);
	munmap(subject->control, sizeof(*subject->control));
	free(subject->addresses);
}

void subject_watch(struct subject *subject)
{
	order(subject, TASK_WATCH, 1);
	await(subject, &subject->control->begun, 1, "watching");
}

static void stop(struct subject *subject)
{
	__atomic_store_n(&subject->control->stop, 1, __ATOMIC_SEQ_CST);
	await(subject, &subject->control->done, 1, "the end of its task");
}

uint64_t subject_gap(struct subject *subject)
{
	stop(subject);
	return subject->control->gap;
}

void subject_count(struct subject *subject)
{
	order(subject, TASK_COUNT, 1);
	await(subject, &subject->control->begun, 1, "counting");
}

uint64_t subject_counted(struct subject *subject)
{
	stop(subject);
	return subject->control->count;
}

int subject_version(struct subject *subject)
{
	struct control *control = subject->control;
	uint64_t calls = control->functions * subject->processes;

	control->version_sum = 0;
	order(subject, TASK_CALL, subject->processes);
	await(subject, &control->done, subject->processes, "calling all");
	return control->version_sum % calls ? 0 : control->version_sum / calls;
}
