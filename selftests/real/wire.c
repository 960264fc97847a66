// SPDX-License-Identifier: GPL-2.0
/*
 * wire tcp|udp PORT [HEX UNTIL]...: sends each HEX to 127.0.0.1:PORT and reads
 * until what has come back since, as hex, matches the extended regular expression
 * UNTIL (an empty one at once); then prints it, a line for each HEX.
 * Datagrams have a blank between them.
 *
 * "closed" ends it when the other side closes, "no connection" when there is none,
 * and "no answer" after five minutes, which only a hang can take.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HANG_MS (300 * 1000)

static char answer[1 << 20];

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

/* What was read goes to answer; returns what ended it, NULL for UNTIL. */
static const char *read_until(int fd, int stream, const regex_t *until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned char in[4096];
	size_t size = 0;

	while (regexec(until, answer, 0, NULL, 0)) {
		ssize_t n;

		if (poll(&p, 1, HANG_MS) <= 0)
			return "no answer";
		n = recv(fd, in, sizeof(in), 0);
		if (n < 0 || (!n && stream))
			return "closed";
		if (size + 2 * n + 2 > sizeof(answer))
			return "too much";
		if (size && !stream)
			answer[size++] = ' ';
		for (ssize_t i = 0; i < n; i++)
			size += sprintf(answer + size, "%02x", in[i]);
		answer[size] = 0;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	static unsigned char out[1 << 20];
	int stream, fd;

	if (argc < 5 || !(argc & 1))
		return 2;
	stream = !strcmp(argv[1], "tcp");
	to.sin_port = htons(atoi(argv[2]));
	fd = socket(AF_INET, stream ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		puts("no connection");
		return 1;
	}
	for (int i = 3; i < argc; i += 2) {
		size_t n = from_hex(argv[i], out, sizeof(out));
		const char *end = "closed";
		regex_t until;

		if (regcomp(&until, argv[i + 1], REG_EXTENDED | REG_NOSUB))
			return 2;
		answer[0] = 0;
		if (send(fd, out, n, MSG_NOSIGNAL) >= 0)
			end = read_until(fd, stream, &until);
		regfree(&until);
		if (*answer)
			puts(answer);
		if (end) {
			puts(end);
			return 0;
		}
	}
	return 0;
}
