// SPDX-License-Identifier: GPL-2.0
/*
 * names PORT: a DNS server for the test domain, on 127.0.0.1, UDP only. The
 * first label of a name says what it gets:
 *
 *	aN...		the address 10.0.0.0 + N
 *	subnet		an address, and a client-subnet option for another client
 *	local		the address 127.0.0.1
 *	empty		first a datagram of no bytes, then the address 127.0.0.1
 *
 * Each question is printed.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER 12

static size_t put(unsigned char *to, const void *data, size_t size)
{
	memcpy(to, data, size);
	return size;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	}, from;
	/* a pointer to the question, A, IN, a minute, four bytes */
	static const unsigned char answer[] = {
		0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4
	};
	/* the root, OPT, 1232 bytes, client subnet 192.0.2.0/24 */
	static const unsigned char subnet[] = {
		0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11,
		0, 8, 0, 7, 0, 1, 24, 24, 192, 0, 2
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned char q[1500], r[1600];

	at.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		perror("bind");
		return 1;
	}
	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, q, sizeof(q), 0,
				     (struct sockaddr *)&from, &len);
		size_t end = HEADER, size;
		unsigned int type;
		uint32_t address;
		char label[64] = "";

		if (n < HEADER + 5)
			continue;
		memcpy(label, q + HEADER + 1, q[HEADER] & 63);
		while (end < (size_t)n && q[end])
			end += q[end] + 1;
		end += 5;
		if (end > (size_t)n)
			continue;
		type = q[end - 4] << 8 | q[end - 3];
		printf("%s %u\n", label, type);
		fflush(stdout);

		memset(r, 0, HEADER);
		size = put(r, q, end);
		r[2] = 0x84 | (q[2] & 1);
		r[3] = 0;
		memset(r + 6, 0, 6);
		if (!strcmp(label, "empty"))
			sendto(fd, r, 0, 0, (struct sockaddr *)&from, len);
		if (type == 1) {
			address = htonl(*label == 'a' ?
				0x0a000000 | (uint32_t)atoi(label + 1) :
				INADDR_LOOPBACK);
			r[7] = 1;
			size += put(r + size, answer, sizeof(answer));
			size += put(r + size, &address, 4);
		}
		if (!strcmp(label, "subnet")) {
			r[11] = 1;
			size += put(r + size, subnet, sizeof(subnet));
		}
		sendto(fd, r, size, 0, (struct sockaddr *)&from, len);
	}
}
