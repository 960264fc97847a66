// SPDX-License-Identifier: GPL-2.0
/*
 * killat N COMMAND...: kill a command at its N-th system call (from 0), before
 * that is carried out.  Counted from its first use of netlink on: what is
 * before that only loads the program.
 *
 * Exit status: 0 it was killed, 3 it ended before.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static bool opens_netlink(pid_t pid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		return false;
	return regs.orig_rax == SYS_socket && regs.rdi == AF_NETLINK;
}

int main(int argc, char **argv)
{
	bool counting = false, inside = false;
	int left, status;
	pid_t pid;

	if (argc < 3)
		return 2;
	left = atoi(argv[1]);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL |
		   PTRACE_O_TRACESYSGOOD))
		return 2;
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) ||
		    waitpid(pid, &status, 0) != pid)
			return 2;
		if (WIFEXITED(status) || WIFSIGNALED(status))
			return 3;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		inside = !inside;
		if (!inside)
			continue;
		counting = counting || opens_netlink(pid);
		if (!counting || left--)
			continue;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return 0;
	}
}
