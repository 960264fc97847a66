// SPDX-License-Identifier: GPL-2.0
/*
 * wire tcp|udp PORT MILLISECONDS [HEX...]: sends each HEX to 127.0.0.1:PORT, and
 * after each prints what comes back within MILLISECONDS, as hex, a line each;
 * "closed" ends it when the other side closes, "no connection" when there is none.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static size_t from_hex(const char *s, unsigned char *to, size_t room)
{
	size_t n = 0;
	unsigned int byte;

	while (n < room && sscanf(s, "%2x", &byte) == 1) {
		to[n++] = byte;
		s += 2;
	}
	return n;
}

/* The first bytes may take as long as it takes; the rest follows soon. */
static int answer(int fd, int limit, int stream)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned char in[65536];
	int got = 0;

	while (poll(&p, 1, got && limit > 500 ? 500 : limit) > 0) {
		ssize_t n = recv(fd, in, sizeof(in), 0);

		if (n < 0 || (!n && stream)) {
			puts(got ? "\nclosed" : "closed");
			return 0;
		}
		for (ssize_t i = 0; i < n; i++)
			printf("%02x", in[i]);
		got = 1;
		if (!stream)
			break;
	}
	puts("");
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	static unsigned char out[1 << 20];
	int stream, fd, limit;

	if (argc < 4)
		return 2;
	stream = !strcmp(argv[1], "tcp");
	to.sin_port = htons(atoi(argv[2]));
	limit = atoi(argv[3]);
	fd = socket(AF_INET, stream ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		puts("no connection");
		return 1;
	}
	if (argc == 4)
		answer(fd, limit, stream);
	for (int i = 4; i < argc; i++) {
		size_t n = from_hex(argv[i], out, sizeof(out));

		if (send(fd, out, n, MSG_NOSIGNAL) < 0) {
			puts("closed");
			return 0;
		}
		if (!answer(fd, limit, stream))
			return 0;
	}
	return 0;
}
