// SPDX-License-Identifier: GPL-2.0
/*
 * Processes as /proc shows them.  Prints TAP.  It is linked with
 * user/process.c and needs -pthread.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

static int tests, failures;

static void ok(int good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	failures += !good;
}

#define REST	"S 1 1 1 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 "

static void test_stat(void)
{
	struct hpkm_process process = { 0 };

	ok(!hpkm_process_parse_stat("12 (a) b) 9 (c)) " REST "4711 5 6\n",
				    &process) && process.start_time == 4711 &&
	   !strcmp(process.comm, "a) b) 9 (c)"), "a name with parentheses");
	ok(!hpkm_process_parse_stat("12 () " REST "4711", &process) &&
	   process.start_time == 4711 && !*process.comm, "an empty name");
	ok(!hpkm_process_parse_stat("12 (a\nb) " REST "18446744073709551615 1",
				    &process) &&
	   process.start_time == UINT64_MAX, "the largest start time");
	ok(hpkm_process_parse_stat("12 (a) " REST, &process) == -EINVAL,
	   "cut off before the start time");
	ok(hpkm_process_parse_stat("12 (a", &process) == -EINVAL,
	   "cut off in the name");
	ok(hpkm_process_parse_stat("12 )a( " REST "1", &process) == -EINVAL,
	   "parentheses the wrong way round");
	ok(hpkm_process_parse_stat("", &process) == -EINVAL, "nothing");
	ok(hpkm_process_parse_stat("12 (a) " REST "x", &process) == -EINVAL,
	   "a start time that is no number");
}

static volatile pid_t thread_id;

static void on_signal(int number)
{
}

static void *sleeper(void *data)
{
	thread_id = gettid();
	for (;;)
		pause();
	return NULL;
}

static void test_live(void)
{
	struct hpkm_process process, again;
	pthread_t thread;
	char *waits;
	uint64_t before, after;
	pid_t child;

	signal(SIGUSR1, on_signal);
	prctl(PR_SET_NAME, ") 1 2 (\n");
	ok(!hpkm_process_read(getpid(), &process) && process.start_time &&
	   !strcmp(process.comm, ") 1 2 (\n") &&
	   process.tgid == (uint32_t)getpid(), "this process");
	ok(!hpkm_process_read(getpid(), &again) &&
	   again.start_time == process.start_time, "its start time stays");
	pthread_create(&thread, NULL, sleeper, NULL);
	while (!thread_id)
		usleep(1000);
	ok(!hpkm_process_read(thread_id, &process) &&
	   process.tgid == (uint32_t)getpid() &&
	   process.pid == (uint32_t)thread_id, "a thread of it");
	usleep(50000);
	ok(hpkm_process_state(thread_id) == 'S', "a thread sleeps");
	ok(hpkm_process_state(gettid()) == 'R', "this one runs");
	ok(!hpkm_process_switches(getpid(), thread_id, &before) && before,
	   "how often it has slept");
	ok(!hpkm_process_switches(getpid(), thread_id, &after) &&
	   before == after, "that stays, as long as it does");
	pthread_kill(thread, SIGUSR1);
	usleep(50000);
	ok(!hpkm_process_switches(getpid(), thread_id, &after) &&
	   after > before, "and grows when it wakes");
	waits = hpkm_process_waits(thread_id, "syscall");
	/* Not every kernel has the file. */
	ok(!waits || strtol(waits, NULL, 10) > 0, "what it waits in");
	free(waits);
	child = fork();
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	ok(hpkm_process_read(child, &process) == -ESRCH, "one that has ended");
	ok(!hpkm_process_waits(child, "wchan"), "which waits in nothing");
	ok(hpkm_process_switches(child, child, &before) &&
	   !hpkm_process_state(child), "and does nothing");
}

int main(void)
{
	test_stat();
	test_live();
	printf("1..%d\n", tests);
	return failures != 0;
}
