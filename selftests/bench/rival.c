// SPDX-License-Identifier: GPL-2.0
/*
 * The least that a patcher built on ptrace has to do.  It checks nothing: no
 * stack is looked through, and all that can be prepared is prepared before the
 * first thread is interrupted.  It finds the threads once and trusts that no
 * new ones come, and writes through one open /proc/PID/mem a process.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <elf.h>

#include "bench.h"
#include "rival.h"

#define JUMP_SIZE	5

static uint8_t (*saved)[JUMP_SIZE];	/* what the functions begin with */

struct rival {
	pid_t *tids;
	int count, room;
	int *mem;			/* of each process */
};

static void add_thread(struct rival *rival, pid_t tid)
{
	if (rival->count == rival->room) {
		rival->room = rival->room ? 2 * rival->room : 64;
		rival->tids = realloc(rival->tids,
				      rival->room * sizeof(*rival->tids));
		if (!rival->tids)
			bench_die("threads");
	}
	rival->tids[rival->count++] = tid;
}

static void find_threads(struct rival *rival, pid_t pid)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		bench_die("%s", path);
	while ((entry = readdir(dir)))
		if (atoi(entry->d_name))
			add_thread(rival, atoi(entry->d_name));
	closedir(dir);
}

static int open_mem(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		bench_die("%s", path);
	return fd;
}

/* A process that was patched alone has its own copy of the page from then. */
static void save(struct subject *subject, int mem)
{
	struct control *control = subject->control;

	saved = calloc(control->functions, sizeof(*saved));
	if (!saved)
		bench_die("functions");
	for (uint64_t i = 0; i < control->functions; i++)
		if (pread(mem, saved[i], JUMP_SIZE, subject->addresses[i]) !=
		    JUMP_SIZE)
			bench_die("function %zu", (size_t)i);
}

static void prepare(struct subject *subject, struct rival *rival)
{
	struct control *control = subject->control;

	memset(rival, 0, sizeof(*rival));
	rival->mem = calloc(subject->processes, sizeof(*rival->mem));
	if (!rival->mem)
		bench_die("processes");
	for (int i = 0; i < subject->processes; i++) {
		find_threads(rival, control->pid[i]);
		rival->mem[i] = open_mem(control->pid[i]);
	}
	if (!saved)
		save(subject, rival->mem[0]);
}

/* jmp rel32; all processes are forks of one, so the addresses are the same. */
static void write_jumps(struct subject *subject, int mem)
{
	struct control *control = subject->control;

	for (uint64_t i = 0; i < control->functions; i++) {
		uint64_t at = subject->addresses[i];
		int32_t rel32 = control->jump_to - (at + JUMP_SIZE);
		uint8_t jump[JUMP_SIZE] = { 0xe9 };

		memcpy(jump + 1, &rel32, sizeof(rel32));
		if (pwrite(mem, jump, sizeof(jump), at) != sizeof(jump))
			bench_die("the text can't be written");
	}
}

static void interrupt_all(const struct rival *rival)
{
	int status;

	for (int i = 0; i < rival->count; i++)
		if (ptrace(PTRACE_INTERRUPT, rival->tids[i], 0, 0))
			bench_die("interrupt");
	/* In any order: each has one stop to report. */
	for (int i = 0; i < rival->count; i++)
		if (waitpid(-1, &status, __WALL) < 0 || !WIFSTOPPED(status))
			bench_die("a thread does not stop");
}

static void read_registers(const struct rival *rival)
{
	struct user_regs_struct regs;
	struct iovec to = { &regs, sizeof(regs) };

	for (int i = 0; i < rival->count; i++)
		if (ptrace(PTRACE_GETREGSET, rival->tids[i], NT_PRSTATUS, &to))
			bench_die("registers");
}

uint64_t rival_patch(struct subject *subject, uint64_t *whole)
{
	uint64_t begin, first, last;
	struct rival rival;

	prepare(subject, &rival);
	begin = bench_now();
	for (int i = 0; i < rival.count; i++)
		if (ptrace(PTRACE_SEIZE, rival.tids[i], 0, 0))
			bench_die("seize");
	first = bench_now();
	interrupt_all(&rival);
	read_registers(&rival);
	for (int i = 0; i < subject->processes; i++)
		write_jumps(subject, rival.mem[i]);
	for (int i = 0; i < rival.count; i++)
		if (ptrace(PTRACE_DETACH, rival.tids[i], 0, 0))
			bench_die("detach");
	last = bench_now();
	for (int i = 0; i < subject->processes; i++)
		close(rival.mem[i]);
	free(rival.mem);
	free(rival.tids);
	*whole = last - begin;
	return last - first;
}

void rival_undo(struct subject *subject)
{
	struct control *control = subject->control;

	for (int i = 0; i < subject->processes; i++) {
		int mem = open_mem(control->pid[i]);

		for (uint64_t k = 0; k < control->functions; k++)
			if (pwrite(mem, saved[k], JUMP_SIZE,
				   subject->addresses[k]) != JUMP_SIZE)
				bench_die("the text can't be written");
		close(mem);
	}
	free(saved);
	saved = NULL;
}
