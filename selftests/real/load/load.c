// SPDX-License-Identifier: GPL-2.0
/*
 * load PROTOCOL PORT CONNECTIONS STATUSFILE [ARGUMENT]: keeps CONNECTIONS to
 * 127.0.0.1:PORT busy until SIGTERM, a request at a time on each, and checks
 * every reply.  ARGUMENT is the protocol's.
 *
 * The status file has one line, replaced several times a second:
 *
 *	replies N, requests N, wrong N, lost N, dropped N
 *
 * "replies" are the right ones; a request that got no reply is lost, and its
 * connection dropped.  Exit status: 0 when each request had its right reply.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

/* Longer than anything but a hang can take on an emulated machine. */
#define REPLY_SECONDS 300
/* Between two requests of a connection. */
#define SHORTEST_PAUSE_US 2000
#define LONGEST_PAUSE_US 100000

const char *load_argument = "";
static const struct load_protocol *protocol;
static unsigned int port, connections;

static atomic_ulong requests, replies, wrong, lost, dropped;
static atomic_bool stop;

bool load_send(struct load_conn *c, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = send(c->fd, p, size, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		size -= n;
	}
	return true;
}

/* An interrupted call would be counted as a loss: there are no handlers. */
static bool fill(struct load_conn *c)
{
	ssize_t n;

	if (c->start == c->end)
		c->start = c->end = 0;
	if (c->end == sizeof(c->in)) {
		memmove(c->in, c->in + c->start, c->end - c->start);
		c->end -= c->start;
		c->start = 0;
	}
	if (c->end == sizeof(c->in))
		return false;
	n = recv(c->fd, c->in + c->end, sizeof(c->in) - c->end, 0);
	if (n <= 0) {
		fprintf(stderr, "connection %u: %s\n", c->index,
			n ? strerror(errno) : "closed");
		return false;
	}
	c->end += n;
	return true;
}

bool load_line(struct load_conn *c, char *line, size_t room)
{
	for (;;) {
		char *at = c->in + c->start;
		char *eol = memchr(at, '\n', c->end - c->start);
		size_t n;

		if (!eol) {
			if (!fill(c))
				return false;
			continue;
		}
		c->start += eol + 1 - at;
		if (eol > at && eol[-1] == '\r')
			eol--;
		n = (size_t)(eol - at) < room ? (size_t)(eol - at) : room - 1;
		memcpy(line, at, n);
		line[n] = 0;
		return true;
	}
}

bool load_bytes(struct load_conn *c, void *data, size_t size)
{
	char *to = data;

	while (size) {
		size_t n = c->end - c->start;

		if (!n) {
			if (!fill(c))
				return false;
			continue;
		}
		if (n > size)
			n = size;
		memcpy(to, c->in + c->start, n);
		c->start += n;
		to += n;
		size -= n;
	}
	return true;
}

uint32_t load_random(struct load_conn *c, uint32_t below)
{
	c->random = c->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(c->random >> 33) % below;
}

enum load_result load_complain(struct load_conn *c, const char *format, ...)
{
	va_list ap;

	flockfile(stderr);
	fprintf(stderr, "connection %u: ", c->index);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	funlockfile(stderr);
	return LOAD_WRONG;
}

/* A process that speaks the protocol on its standard input and output. */
static int connect_to_command(void)
{
	const char *command;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		perror("socketpair");
		exit(1);
	}
	switch (fork()) {
	case -1:
		perror("fork");
		exit(1);
	case 0:
		dup2(ends[1], 0);
		dup2(ends[1], 1);
		command = strstr(load_argument, "exec ");
		execl("/bin/sh", "sh", "-c", command ? command : "", NULL);
		_exit(127);
	}
	close(ends[1]);
	return ends[0];
}

static int connect_to_port(int type)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		perror("connect");
		exit(1);
	}
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

void load_connect(struct load_conn *c)
{
	struct timeval limit = { .tv_sec = REPLY_SECONDS };

	if (c->fd >= 0)
		close(c->fd);
	c->start = 0;
	c->end = 0;
	c->fd = protocol->command ? connect_to_command() :
		connect_to_port(protocol->datagrams ? SOCK_DGRAM : SOCK_STREAM);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

/*
 * An emulated machine is soon full, and those who look at the server then wait,
 * too.  Were all connections to pause as long as all their requests take one after
 * the other, it would be full exactly; so it is half full.
 */
static void pause_after(uint64_t took_us)
{
	uint64_t us = took_us * 2 * connections;

	if (us < SHORTEST_PAUSE_US)
		us = SHORTEST_PAUSE_US;
	if (us > LONGEST_PAUSE_US)
		us = LONGEST_PAUSE_US;
	usleep(us);
}

static void *connection(void *arg)
{
	struct load_conn *c = arg;
	uint64_t begin;

	if (protocol->open)
		protocol->open(c);
	while (!atomic_load(&stop)) {
		begin = now_us();
		atomic_fetch_add(&requests, 1);
		switch (protocol->step(c)) {
		case LOAD_RIGHT:
			atomic_fetch_add(&replies, 1);
			pause_after(now_us() - begin);
			break;
		case LOAD_WRONG:
			/* Where the next reply begins is not known now. */
			atomic_fetch_add(&wrong, 1);
			return NULL;
		case LOAD_LOST:
			atomic_fetch_add(&lost, 1);
			atomic_fetch_add(&dropped, 1);
			return NULL;
		}
	}
	return NULL;
}

static void write_status(const char *path)
{
	char temporary[4096];
	FILE *f;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	f = fopen(temporary, "we");
	if (!f)
		return;
	/* Read in this order, no reply is counted without its request. */
	fprintf(f, "replies %lu, ", atomic_load(&replies));
	fprintf(f, "requests %lu, wrong %lu, lost %lu, dropped %lu\n",
		atomic_load(&requests), atomic_load(&wrong),
		atomic_load(&lost), atomic_load(&dropped));
	fclose(f);
	rename(temporary, path);
}

static const struct load_protocol *const protocols[] = {
	&load_dns, &load_http, &load_memcached, &load_mqtt, &load_redis,
	&load_rsync, &load_sftp,
};

int main(int argc, char **argv)
{
	const struct timespec often = { .tv_nsec = 200 * 1000 * 1000 };
	struct load_conn *conns;
	pthread_t *threads;
	const char *status;
	sigset_t set;

	if (argc < 5 || argc > 6) {
		fprintf(stderr, "usage: load PROTOCOL PORT CONNECTIONS "
			"STATUSFILE [ARGUMENT]\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++)
		if (!strcmp(argv[1], protocols[i]->name))
			protocol = protocols[i];
	if (!protocol) {
		fprintf(stderr, "no protocol is called '%s'\n", argv[1]);
		return 2;
	}
	port = strtoul(argv[2], NULL, 10);
	connections = strtoul(argv[3], NULL, 10);
	status = argv[4];
	if (argc > 5)
		load_argument = argv[5];
	/* Signals are waited for, and interrupt nothing. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);

	conns = calloc(connections, sizeof(*conns));
	threads = calloc(connections, sizeof(*threads));
	if (!conns || !threads)
		return 1;
	for (unsigned int i = 0; i < connections; i++) {
		conns[i].index = i;
		conns[i].random = i + 1;
		conns[i].fd = -1;
		load_connect(&conns[i]);
	}
	for (unsigned int i = 0; i < connections; i++)
		if (pthread_create(&threads[i], NULL, connection, &conns[i]))
			return 1;
	while (sigtimedwait(&set, NULL, &often) < 0)
		write_status(status);
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	write_status(status);
	return requests && replies == requests ? 0 : 1;
}
