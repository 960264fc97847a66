// SPDX-License-Identifier: GPL-2.0
/*
 * server PORT THREADS: a small TCP server.  A request is a line "ITEM COUNT",
 * its reply a line with the price in cents, which price() makes.  Nothing in
 * here knows of hpkm.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "price.h"

#define LINE_MAX_SIZE 64

struct client {
	int fd;
	size_t used;
	char line[LINE_MAX_SIZE];
};

static int epoll;

/* Returns false when the client is to go. */
static bool answer(struct client *c, char *line)
{
	unsigned int item, count;
	char reply[32];
	int n;

	if (sscanf(line, "%u %u", &item, &count) != 2)
		return false;
	n = sprintf(reply, "%ld\n", price(item, count));
	return send(c->fd, reply, n, MSG_NOSIGNAL) == n;
}

static bool serve(struct client *c)
{
	ssize_t n = recv(c->fd, c->line + c->used,
			 sizeof(c->line) - c->used, 0);
	char *end;

	if (n <= 0)
		return false;
	c->used += n;
	while ((end = memchr(c->line, '\n', c->used))) {
		*end++ = 0;
		if (!answer(c, c->line))
			return false;
		c->used -= end - c->line;
		memmove(c->line, end, c->used);
	}
	return c->used < sizeof(c->line);
}

/* All threads wait for all clients; each event goes to one thread only. */
static void *work(void *arg)
{
	struct epoll_event event;

	for (;;) {
		struct client *c;

		if (epoll_wait(epoll, &event, 1, -1) != 1)
			continue;
		c = event.data.ptr;
		if (!serve(c)) {
			close(c->fd);
			free(c);
			continue;
		}
		event.events = EPOLLIN | EPOLLONESHOT;
		epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
	}
	return arg;
}

static void welcome(int fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };
	struct client *c = calloc(1, sizeof(*c));
	int one = 1;

	if (!c) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->fd = fd;
	event.data.ptr = c;
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	pthread_t thread;

	if (argc != 3)
		return 2;
	at.sin_port = htons(atoi(argv[1]));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	epoll = epoll_create1(0);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 64)) {
		perror("server");
		return 1;
	}
	for (int i = atoi(argv[2]); i > 0; i--)
		if (pthread_create(&thread, NULL, work, NULL))
			return 1;
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client >= 0)
			welcome(client);
	}
}
