// SPDX-License-Identifier: GPL-2.0
/*
 * client PORT CONNECTIONS STATUSFILE: asks the server for prices on several
 * connections at once until SIGTERM, and checks every reply.
 *
 * SIGUSR1 begins a new phase.  A request belongs to the phase in which it was
 * sent, so what a phase counts was asked for after the phase had begun.  The
 * status file has a line for each phase, replaced several times a second:
 *
 *	PHASE requests N right N ten N cent N other N lost N
 *
 * ten:   wrong as the server's first bug makes it (no discount on ten pieces)
 * cent:  wrong as its second bug makes it (the discount is not rounded)
 * other: wrong in any other way; lost: no reply, and the connection dropped
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PHASES 64
#define REPLY_SECONDS 30
/* Between two requests of a connection: an emulated machine is soon full. */
#define PAUSE_US 10000

enum { RIGHT, TEN, CENT, OTHER, LOST, KINDS };

static const char *const kinds[KINDS] = {
	[RIGHT] = "right", [TEN] = "ten", [CENT] = "cent",
	[OTHER] = "other", [LOST] = "lost",
};

static atomic_ulong requests[PHASES], replies[PHASES][KINDS];
static atomic_uint phase;
static atomic_bool stop;
static unsigned int port;

/* Worked out here once more, and not by the server's code. */
static const long cents[] = { 199, 349, 1250, 4999, 75, 3301, 18, 999 };

static int judge(unsigned int item, unsigned int count, long reply)
{
	long full = cents[item] * count;
	long right = count < 10 ? full : full - (full * 5 + 50) / 100;

	if (reply == right)
		return RIGHT;
	if (count == 10 && reply == full)
		return TEN;
	if (count >= 10 && reply == full - full * 5 / 100)
		return CENT;
	return OTHER;
}

static int ask(int fd, unsigned int item, unsigned int count)
{
	char text[64], *end;
	size_t got = 0;
	long reply;
	int n;

	n = sprintf(text, "%u %u\n", item, count);
	if (send(fd, text, n, MSG_NOSIGNAL) != n)
		return LOST;
	do {
		ssize_t more = recv(fd, text + got, sizeof(text) - 1 - got, 0);

		if (more <= 0)
			return LOST;
		got += more;
	} while (text[got - 1] != '\n' && got < sizeof(text) - 1);
	text[got] = 0;
	reply = strtol(text, &end, 10);
	return *end == '\n' && !end[1] ? judge(item, count, reply) : OTHER;
}

static void *connection(void *arg)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	struct timeval limit = { .tv_sec = REPLY_SECONDS };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, kind;
	unsigned int random = (uintptr_t)arg;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		perror("client");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	do {
		unsigned int now = atomic_load(&phase);

		random = random * 1103515245 + 12345;
		atomic_fetch_add(&requests[now], 1);
		kind = ask(fd, random >> 16 & 7, 1 + (random >> 20) % 20);
		atomic_fetch_add(&replies[now][kind], 1);
		usleep(PAUSE_US);
	} while (kind != LOST && !atomic_load(&stop));
	close(fd);
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
	for (unsigned int i = 0; i <= atomic_load(&phase); i++) {
		fprintf(f, "%u requests %lu", i, atomic_load(&requests[i]));
		for (int k = 0; k < KINDS; k++)
			fprintf(f, " %s %lu", kinds[k],
				atomic_load(&replies[i][k]));
		fputc('\n', f);
	}
	fclose(f);
	rename(temporary, path);
}

int main(int argc, char **argv)
{
	const struct timespec often = { .tv_nsec = 100 * 1000 * 1000 };
	pthread_t threads[256];
	unsigned int count;
	sigset_t set;
	int signal;

	if (argc != 4)
		return 2;
	port = atoi(argv[1]);
	count = atoi(argv[2]);
	if (count > 256)
		return 2;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (uintptr_t i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, connection,
				   (void *)(i + 1)))
			return 1;
	do {
		signal = sigtimedwait(&set, NULL, &often);
		if (signal == SIGUSR1 && phase < PHASES - 1)
			atomic_fetch_add(&phase, 1);
		write_status(argv[3]);
	} while (signal != SIGTERM);
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	write_status(argv[3]);
	return 0;
}
