// SPDX-License-Identifier: GPL-2.0
/*
 * target CONTROL PROCESSES THREADS BUSY DEPTH: what the bench patches.
 *
 * Each process has THREADS threads besides its first one: BUSY of them run in
 * user code, the others sleep in a mixture of system calls, with DEPTH bytes
 * of stack in use.  The first thread sleeps until it is given an order.  It
 * watches in real-time priority, and on a CPU of its own: a gap it sees is no
 * other thread's turn.  Nobody calls what is patched but in TASK_CALL and
 * TASK_COUNT.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "functions.h"

#define STACK_EXTRA	(32 << 10)
#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

static struct control *control;
static int quiet[2];		/* a pipe that nobody writes to */
static sem_t never;
static uint32_t futex_word;
static size_t depth;

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	_exit(1);
}

static void add(uint32_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void in_nanosleep(void)
{
	struct timespec long_time = { .tv_sec = 1000000 };

	nanosleep(&long_time, NULL);
}

static void in_read(void)
{
	char byte;

	if (read(quiet[0], &byte, 1) == 1)
		die("read");
}

static void in_sem_wait(void)
{
	sem_wait(&never);
}

static void in_futex(void)
{
	syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void in_poll(void)
{
	struct pollfd poll_fd = { .fd = quiet[0], .events = POLLIN };

	poll(&poll_fd, 1, -1);
}

static void in_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(quiet[0], &set);
	select(quiet[0] + 1, &set, NULL, NULL, NULL);
}

static void in_epoll(void)
{
	static __thread int fd = -1;
	struct epoll_event event = { .events = EPOLLIN };

	if (fd < 0)
		fd = epoll_create1(EPOLL_CLOEXEC);
	epoll_wait(fd, &event, 1, -1);
}

static void in_sigwaitinfo(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigwaitinfo(&set, NULL);
}

static void (*const sleeps[])(void) = {
	in_nanosleep, in_read, in_sem_wait, in_futex, in_poll, in_select,
	in_epoll, in_sigwaitinfo,
};

__attribute__((noinline)) static void be_asleep(uintptr_t kind)
{
	add(&control->ready);
	for (;;) {
		sleeps[kind]();
		add(&control->interrupted);
	}
}

__attribute__((noinline)) static void be_busy(void)
{
	volatile uint64_t last;

	add(&control->ready);
	for (;;)
		last = now();
	(void)last;
}

/* Words that are no address, so that all of them are looked at. */
__attribute__((noinline)) static void go_deep(void (*run)(uintptr_t kind),
					      uintptr_t kind)
{
	volatile char below[depth];

	memset((char *)below, 0x5a, depth);
	run(kind);
	below[0]++;
}

static void busy_run(uintptr_t unused)
{
	be_busy();
}

static void *sleeping_thread(void *kind)
{
	go_deep(be_asleep, (uintptr_t)kind);
	return NULL;
}

static void *busy_thread(void *unused)
{
	/* They get what time is left over by everybody else. */
	struct sched_param param = { 0 };

	sched_setscheduler(0, SCHED_IDLE, &param);
	go_deep(busy_run, 0);
	return unused;
}

static void start(void *(*run)(void *data), void *data)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, depth + STACK_EXTRA);
	errno = pthread_create(&thread, &attr, run, data);
	if (errno)
		die("pthread_create");
	pthread_attr_destroy(&attr);
}

static void set_priority(int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, policy, &param))
		die("sched_setscheduler");
}

static void watch(void)
{
	uint64_t last, next, longest = 0;
	cpu_set_t set;

	/* Who measures has CPU 0. */
	CPU_ZERO(&set);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	sched_setaffinity(0, sizeof(set), &set);
	set_priority(SCHED_FIFO, 1);
	last = now();
	add(&control->begun);
	while (!__atomic_load_n(&control->stop, __ATOMIC_RELAXED)) {
		next = now();
		if (next - last > longest)
			longest = next - last;
		last = next;
	}
	set_priority(SCHED_OTHER, 0);
	control->gap = longest;
}

/* Each of them answers its own index with its version. */
static void call_all(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < function_count; i++)
		sum += functions[i](i);
	__atomic_fetch_add(&control->version_sum, sum, __ATOMIC_SEQ_CST);
}

static void count(void)
{
	uint64_t done = 0;
	unsigned int i = 0;

	add(&control->begun);
	while (!__atomic_load_n(&control->stop, __ATOMIC_RELAXED)) {
		functions[i](done++);
		if (++i == function_count)
			i = 0;
	}
	control->count = done;
}

static void obey(unsigned int index)
{
	uint32_t *order = &control->order[index], seen = 0;

	for (;;) {
		syscall(SYS_futex, order, FUTEX_WAIT, seen, NULL, NULL, 0);
		if (__atomic_load_n(order, __ATOMIC_SEQ_CST) == seen)
			continue;
		seen++;
		switch (control->task) {
		case TASK_WATCH:
			watch();
			break;
		case TASK_CALL:
			call_all();
			break;
		case TASK_COUNT:
			count();
			break;
		}
		add(&control->done);
	}
}

int main(int argc, char **argv)
{
	int fd, processes, threads, busy, index = 0;
	sigset_t set;

	if (argc != 6)
		return 2;
	processes = atoi(argv[2]);
	threads = atoi(argv[3]);
	busy = atoi(argv[4]);
	depth = atoi(argv[5]);
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0 || processes < 1 || processes > PROCESSES_MAX)
		return 2;
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);
	if (control == MAP_FAILED)
		die("mmap");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	control->table = (uintptr_t)functions;
	control->functions = function_count;
	control->jump_to = (uintptr_t)in_nanosleep;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sem_init(&never, 0, 0);
	if (pipe2(quiet, O_CLOEXEC))
		die("pipe");
	for (int i = 1; i < processes && !index; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			index = i;
		}
	}
	control->pid[index] = getpid();
	for (int i = 0; i < threads - busy; i++)
		start(sleeping_thread, (void *)(i % COUNT(sleeps)));
	for (int i = 0; i < busy; i++)
		start(busy_thread, NULL);
	add(&control->ready);
	obey(index);
}
