// SPDX-License-Identifier: GPL-2.0
/*
 * traffic PORT IMAGE PID REPETITIONS MS: requests that a memcached answers
 * while it is patched.
 *
 * Connections, with a thread each, set and get and check each reply.  Meanwhile
 * the server is unpatched for MS, switched to the patch, patched for MS, and
 * switched back, over and over; the first time is a warm-up.  A sample is what
 * was answered in such a time, and the longest that a reply took.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "patcher.h"

#define CONNECTIONS	4
#define VALUE_SIZE	100

static int port;
/* Of the period that runs; each thread has its own line of the cache. */
static struct {
	uint64_t answered;
	uint64_t longest;
} __attribute__((aligned(64))) counts[CONNECTIONS];

static int connect_one(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (void *)&address, sizeof(address)))
		bench_die("port %d", port);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* One request; the reply must be this one. */
static void ask(int fd, const char *request, const char *reply)
{
	size_t want = strlen(reply), have = 0, size = strlen(request);
	char text[1024];

	if (send(fd, request, size, MSG_NOSIGNAL) != (ssize_t)size)
		bench_die("the server has gone");
	while (have < want) {
		ssize_t n = recv(fd, text + have, want - have, 0);

		if (n <= 0)
			bench_die("the server has gone");
		have += n;
	}
	if (memcmp(text, reply, want)) {
		errno = 0;
		bench_die("a wrong reply: '%.*s'", (int)have, text);
	}
}

static void *client(void *data)
{
	uintptr_t index = (uintptr_t)data;
	char set[256], get[64], value[VALUE_SIZE + 1], reply[256];
	int fd = connect_one();

	for (unsigned long n = 0;; n++) {
		uint64_t begin = bench_now(), time;

		memset(value, 'a' + n % 26, VALUE_SIZE);
		value[VALUE_SIZE] = 0;
		snprintf(set, sizeof(set), "set key%zu-%lu 0 0 %d\r\n%s\r\n",
			 (size_t)index, n % 100, VALUE_SIZE, value);
		snprintf(get, sizeof(get), "get key%zu-%lu\r\n", (size_t)index,
			 n % 100);
		snprintf(reply, sizeof(reply),
			 "VALUE key%zu-%lu 0 %d\r\n%s\r\nEND\r\n",
			 (size_t)index, n % 100, VALUE_SIZE, value);
		ask(fd, set, "STORED\r\n");
		ask(fd, get, reply);
		time = bench_now() - begin;
		__atomic_fetch_add(&counts[index].answered, 2,
				   __ATOMIC_RELAXED);
		if (time > __atomic_load_n(&counts[index].longest,
					   __ATOMIC_RELAXED))
			__atomic_store_n(&counts[index].longest, time,
					 __ATOMIC_RELAXED);
	}
	return NULL;
}

static void begin_period(void)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		__atomic_store_n(&counts[i].answered, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&counts[i].longest, 0, __ATOMIC_RELAXED);
	}
}

static void end_period(const char *what, int repetition, uint64_t time,
		       const struct patcher_figures *figures)
{
	uint64_t answered = 0, longest = 0;

	for (int i = 0; i < CONNECTIONS; i++) {
		answered += __atomic_load_n(&counts[i].answered,
					    __ATOMIC_RELAXED);
		if (counts[i].longest > longest)
			longest = counts[i].longest;
	}
	if (repetition)
		bench_sample("\"part\": \"scale\", \"what\": \"traffic-%s\", "
			     "\"rep\": %d, \"time_ns\": %llu, "
			     "\"requests\": %llu, \"longest_ns\": %llu, "
			     "\"pause_ns\": %llu, \"attempts\": %u", what,
			     repetition, (unsigned long long)time,
			     (unsigned long long)answered,
			     (unsigned long long)longest,
			     (unsigned long long)(figures ? figures->pause_ns :
						  0),
			     figures ? figures->attempts : 0);
}

/* A while in which nothing happens to the server. */
static void quiet(const char *what, int repetition, int ms)
{
	uint64_t begin = bench_now();

	begin_period();
	usleep(ms * 1000);
	end_period(what, repetition, bench_now() - begin, NULL);
}

int main(int argc, char **argv)
{
	struct patcher_figures figures;
	struct patcher patcher;
	pthread_t thread;
	uint64_t begin;
	int pid, ms;

	if (argc != 6)
		return 2;
	port = atoi(argv[1]);
	pid = atoi(argv[3]);
	ms = atoi(argv[5]);
	patcher_open(&patcher, argv[2]);
	for (uintptr_t i = 0; i < CONNECTIONS; i++)
		if (pthread_create(&thread, NULL, client, (void *)i))
			bench_die("thread");
	for (int i = 0; i <= atoi(argv[4]); i++) {
		quiet("before", i, ms);
		begin_period();
		begin = bench_now();
		patcher_apply(&patcher, 0, pid, &figures);
		end_period("apply", i, bench_now() - begin, &figures);
		quiet("patched", i, ms);
		begin_period();
		begin = bench_now();
		patcher_revert(&patcher, 0, pid, &figures);
		end_period("revert", i, bench_now() - begin, &figures);
		quiet("after", i, ms);
	}
	patcher_close(&patcher);
	return 0;
}
