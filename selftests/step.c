// SPDX-License-Identifier: GPL-2.0
/*
 * step TID START SIZE [FROM]: stop a thread, and let it go step by step until
 * its instruction pointer lies in [START, START + SIZE); with FROM, until it
 * has come there by an instruction in [FROM, START) or behind.  Prints the
 * address, keeps the thread there until standard input ends or has a line,
 * and lets it go, with a signal if the line has its number.
 *
 * Exit status: 0, 1 when it does not come there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEPS_MAX	1000000

static unsigned long ip_of(pid_t tid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs)) {
		perror("PTRACE_GETREGS");
		exit(1);
	}
	return regs.rip;
}

int main(int argc, char **argv)
{
	unsigned long start, size, ip = 0, before = 0, from = 0, from_size = 0;
	int status, steps;
	char line[16];
	pid_t tid;

	if (argc != 4 && argc != 6)
		return 2;
	tid = atoi(argv[1]);
	start = strtoul(argv[2], NULL, 0);
	size = strtoul(argv[3], NULL, 0);
	if (argc == 6) {
		from = strtoul(argv[4], NULL, 0);
		from_size = strtoul(argv[5], NULL, 0);
	}
	if (ptrace(PTRACE_ATTACH, tid, NULL, NULL) ||
	    waitpid(tid, &status, __WALL) != tid) {
		perror("PTRACE_ATTACH");
		return 1;
	}
	for (steps = 0; steps < STEPS_MAX; steps++) {
		before = ip;
		ip = ip_of(tid);
		if (ip - start < size && (!from || before - from < from_size))
			break;
		if (ptrace(PTRACE_SINGLESTEP, tid, NULL, NULL) ||
		    waitpid(tid, &status, __WALL) != tid ||
		    !WIFSTOPPED(status)) {
			perror("PTRACE_SINGLESTEP");
			return 1;
		}
	}
	if (steps == STEPS_MAX)
		return 1;
	printf("0x%lx\n", ip);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		line[0] = 0;
	return ptrace(PTRACE_DETACH, tid, NULL, (void *)atol(line)) ? 1 : 0;
}
