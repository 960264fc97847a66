// SPDX-License-Identifier: GPL-2.0
/*
 * web PORT: what stands behind a proxy: an HTTP/1.1 server on 127.0.0.1 with kept
 * connections, a thread each. /fN is what load's http protocol expects; any other
 * path gets the request's own header back, and /split what looks like the begin
 * of a status line, in two pieces, the second when the first has been read.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

		if (done <= 0)
			return 0;
		p += done;
		n -= done;
	}
	return 1;
}

static int reply(int fd, const char *body, size_t size)
{
	char head[128];
	int n = sprintf(head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
			size);

	return send_all(fd, head, n) && send_all(fd, body, size);
}

/* Whether the peer, on this machine, has read all that was sent. */
static int was_read(int fd)
{
	struct sockaddr_in here, there;
	socklen_t n = sizeof(here), m = sizeof(there);
	unsigned int from, to, queued;
	char line[256];
	int found = 1;
	FILE *f;

	if (getsockname(fd, (struct sockaddr *)&here, &n) ||
	    getpeername(fd, (struct sockaddr *)&there, &m))
		return 1;
	f = fopen("/proc/net/tcp", "r");
	if (!f)
		return 1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " %*u: %*x:%x %*x:%x %*x %*x:%x", &from, &to,
			   &queued) == 3 &&
		    from == ntohs(there.sin_port) && to == ntohs(here.sin_port))
			found = !queued;
	fclose(f);
	return found;
}

static int answer(int fd, const char *request, size_t size)
{
	char path[256] = "";
	unsigned int n;

	sscanf(request, "%*s %255s", path);
	if (!strcmp(path, "/split")) {
		send_all(fd, "HTT", 3);
		while (!was_read(fd))
			usleep(10000);
		send_all(fd, "X-whatever\n", 11);
		return 0;
	}
	if (sscanf(path, "/f%u", &n) == 1 && n < 100) {
		size_t length = n * 700 + 10;
		char *body = malloc(length);
		int ok;

		for (size_t i = 0; i < length; i++)
			body[i] = 'a' + (n + i) % 26;
		ok = reply(fd, body, length);
		free(body);
		return ok;
	}
	return reply(fd, request, size);
}

static void *serve(void *arg)
{
	int fd = (intptr_t)arg;
	char in[16384];
	size_t have = 0;

	for (;;) {
		ssize_t n = recv(fd, in + have, sizeof(in) - 1 - have, 0);
		char *end;

		if (n <= 0)
			break;
		have += n;
		in[have] = 0;
		end = strstr(in, "\r\n\r\n");
		if (!end)
			continue;
		end[2] = 0;
		if (!answer(fd, in, end + 2 - in))
			break;
		have -= end + 4 - in;
		memmove(in, end + 4, have);
	}
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	at.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(fd, 64)) {
		perror("bind");
		return 1;
	}
	for (;;) {
		int peer = accept(fd, NULL, NULL);
		pthread_t thread;

		if (peer < 0)
			continue;
		setsockopt(peer, SOL_TCP, TCP_NODELAY, &one, sizeof(one));
		if (!pthread_create(&thread, NULL, serve,
				    (void *)(intptr_t)peer))
			pthread_detach(thread);
	}
}
