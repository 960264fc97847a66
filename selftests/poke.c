// SPDX-License-Identifier: GPL-2.0
/*
 * poke PID ADDRESS BYTE...: write into the text of a process, as a debugger
 * does.  By ptrace, for newer kernels let nobody but a tracer do it by
 * /proc/PID/mem.  Only the main thread is stopped for it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static int write_byte(pid_t pid, unsigned long address, unsigned char byte)
{
	unsigned long start = address & ~(sizeof(long) - 1);
	long word;

	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, pid, start, NULL);
	if (errno)
		return -1;
	memcpy((char *)&word + (address - start), &byte, 1);
	return ptrace(PTRACE_POKETEXT, pid, start, word);
}

int main(int argc, char **argv)
{
	unsigned long address;
	int status, ret = 0;
	pid_t pid;

	if (argc < 4)
		return 2;
	pid = atoi(argv[1]);
	address = strtoul(argv[2], NULL, 0);
	/* Not by a signal: that would show in what the thread is doing. */
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) ||
	    waitpid(pid, &status, __WALL) != pid) {
		perror("ptrace");
		return 1;
	}
	for (int i = 3; i < argc && !ret; i++)
		ret = write_byte(pid, address++, strtoul(argv[i], NULL, 16));
	if (ret)
		perror("PTRACE_POKETEXT");
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) || ret ? 1 : 0;
}
