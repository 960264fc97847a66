// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what a tracer or a parent is told of a process: nothing, as long as
 * nobody disturbs it.
 *
 *	watch trace PID			traces every thread, running
 *	watch stopped PID		traces every thread, stopped
 *	watch parent COMMAND...		runs a command as its parent
 *
 * Prints "ready" (parent: "ready PID"), and when standard input ends or has a
 * line the number of events.  Then it lets the process go; the command of a
 * parent is killed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS_MAX	4096

static volatile sig_atomic_t child_signals;
static pid_t threads[THREADS_MAX];
static int thread_count;

static void on_child(int number)
{
	child_signals++;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void seize(const char *pid, int stop)
{
	struct dirent *entry;
	char path[64];
	int status;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	if (!dir)
		die(path);
	while ((entry = readdir(dir))) {
		pid_t tid = atoi(entry->d_name);

		if (!tid || thread_count == THREADS_MAX)
			continue;
		if (ptrace(stop ? PTRACE_ATTACH : PTRACE_SEIZE, tid, NULL,
			   NULL))
			die("ptrace");
		if (stop && waitpid(tid, &status, __WALL) != tid)
			die("waitpid");
		threads[thread_count++] = tid;
	}
	closedir(dir);
}

static void wait_for_line(void)
{
	struct pollfd poll_fd = { .fd = 0, .events = POLLIN };

	while (poll(&poll_fd, 1, -1) < 0 && errno == EINTR)
		;
}

/* Stops that nobody has collected yet. */
static int events(void)
{
	int count = 0, status;

	while (waitpid(-1, &status, __WALL | WNOHANG | WUNTRACED |
		       WCONTINUED) > 0)
		count++;
	return count;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_child };
	int count, status;
	pid_t pid = 0;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "parent")) {
		sigaction(SIGCHLD, &action, NULL);
		pid = fork();
		if (!pid) {
			if (!freopen("/dev/null", "r", stdin))
				die("/dev/null");
			execvp(argv[2], argv + 2);
			die(argv[2]);
		}
		printf("ready %d\n", pid);
	} else {
		seize(argv[2], !strcmp(argv[1], "stopped"));
		/* Attaching told of itself, and that is over. */
		events();
		sigaction(SIGCHLD, &action, NULL);
		printf("ready\n");
	}
	fflush(stdout);
	wait_for_line();
	count = events();
	printf("%d\n", count + child_signals);
	fflush(stdout);
	if (pid)
		return kill(pid, SIGKILL);
	for (int i = 0; i < thread_count; i++) {
		/* One that runs must be stopped to be let go. */
		if (!strcmp(argv[1], "trace") &&
		    (ptrace(PTRACE_INTERRUPT, threads[i], NULL, NULL) ||
		     waitpid(threads[i], &status, __WALL) != threads[i]))
			continue;
		ptrace(PTRACE_DETACH, threads[i], NULL, NULL);
	}
	return 0;
}
