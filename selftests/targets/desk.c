// SPDX-License-Identifier: GPL-2.0
/*
 * A target with hooks and shadow variables: the examples of Documentation/,
 * and order.c. It obeys commands, a line each, from the pipe that it is given,
 * and answers each with a line on standard output.
 *
 * usage: desk PIPE	children that it forks read PIPE.child
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "order.h"
#include "quota.h"
#include "session.h"

#define SESSIONS	8
#define THREADS_MAX	16

/* What hooks and new functions do; see order.c. */
atomic_int order_runs, order_done, order_early, order_undone, order_hold;
atomic_int order_in_hook, order_linger;

static struct session *sessions[SESSIONS];
static pthread_t threads[THREADS_MAX];
static int thread_count;
static atomic_int stop;
static atomic_ulong calls;

static void *caller(void *data)
{
	(void)data;
	while (!stop) {
		order();
		calls++;
		usleep(1000);
	}
	return NULL;
}

static void *lingerer(void *data)
{
	(void)data;
	linger();
	return NULL;
}

static void start(void *(*function)(void *data), int count)
{
	stop = 0;
	while (count-- && thread_count < THREADS_MAX)
		pthread_create(&threads[thread_count++], NULL, function, NULL);
}

static void join(void)
{
	stop = 1;
	while (thread_count)
		pthread_join(threads[--thread_count], NULL);
}

/* A child that calls once and ends: what became of that. */
static int short_child(void)
{
	int runs = order_runs, status;
	pid_t pid = fork();

	if (!pid) {
		alarm(60);
		order_hold = 0;
		order();
		_exit(order_early ? 100 : order_runs - runs);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static struct session **session(int n)
{
	return &sessions[n % SESSIONS];
}

static int obey(const char *word, int n)
{
	if (!strcmp(word, "order"))
		return order();
	if (!strcmp(word, "busy"))
		start(caller, n);
	else if (!strcmp(word, "linger"))
		start(lingerer, n);
	else if (!strcmp(word, "join"))
		join();
	else if (!strcmp(word, "hold"))
		order_hold = n;
	else if (!strcmp(word, "lingering"))
		order_linger = n;
	else if (!strcmp(word, "in-hook"))
		return order_in_hook;
	else if (!strcmp(word, "runs"))
		return order_runs;
	else if (!strcmp(word, "early"))
		return order_early;
	else if (!strcmp(word, "undone"))
		return order_undone;
	else if (!strcmp(word, "calls"))
		return calls != 0;
	else if (!strcmp(word, "child"))
		return short_child();
	else if (!strcmp(word, "quota"))
		return quota_ok(n);
	else if (!strcmp(word, "quota-set"))
		quota_set(n);
	else if (!strcmp(word, "open"))
		*session(n) = session_open(n);
	else if (!strcmp(word, "failed"))
		return session_failed(*session(n));
	else if (!strcmp(word, "login"))
		session_login(*session(n));
	else if (!strcmp(word, "close"))
		session_close(*session(n));
	else
		return -1;
	return 0;
}

/* Both ends are held open, so that it never ends. */
static FILE *open_pipe(const char *path)
{
	int fd = open(path, O_RDWR);

	return fd < 0 ? NULL : fdopen(fd, "r");
}

int main(int argc, char **argv)
{
	FILE *commands = open_pipe(argv[1]);
	char line[100], word[100], path[200];

	(void)argc;
	setlinebuf(stdout);
	printf("ready %d\n", getpid());
	while (commands && fgets(line, sizeof(line), commands)) {
		int n = 0;

		if (sscanf(line, "%99s %d", word, &n) < 1)
			continue;
		if (!strcmp(word, "fork")) {
			snprintf(path, sizeof(path), "%s.child", argv[1]);
			n = fork();
			if (!n) {
				thread_count = 0;
				freopen(path, "r+", commands);
				setvbuf(commands, NULL, _IONBF, 0);
				continue;
			}
			printf("%s %d\n", word, n);
			continue;
		}
		printf("%s %d\n", word, obey(word, n));
	}
	return 1;
}
