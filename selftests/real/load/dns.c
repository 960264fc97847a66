// SPDX-License-Identifier: GPL-2.0
/*
 * DNS over UDP, to a server that asks `names` (names.c): the address of
 * aN.good.test follows from N.  Some names are asked for once, others again and
 * again, so that both a server's cache and what it forwards take part.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"

#define HEADER	12
#define CACHED	50

/* The question, with recursion desired; returns its size. */
static size_t question(uint8_t *q, uint16_t id, uint32_t n)
{
	static const char rest[] = "\4good\4test\0\0\1\0\1";
	int len = sprintf((char *)q + HEADER + 1, "a%u", n);
	uint8_t header[HEADER] = { id >> 8, id, 1, 0, 0, 1 };

	memcpy(q, header, HEADER);
	q[HEADER] = len;
	memcpy(q + HEADER + 1 + len, rest, sizeof(rest) - 1);
	return HEADER + 1 + len + sizeof(rest) - 1;
}

static enum load_result dns_step(struct load_conn *c)
{
	uint32_t n = load_random(c, 2) ? load_random(c, CACHED) :
		     100 + load_random(c, 10000000), got;
	uint16_t id = load_random(c, 65536);
	uint8_t q[64], r[1500];
	size_t size = question(q, id, n);
	ssize_t have;

	if (!load_send(c, q, size))
		return LOAD_LOST;
	have = recv(c->fd, r, sizeof(r), 0);
	if (have <= 0)
		return LOAD_LOST;
	/* The reply, no error, one answer; the question; a pointer to it. */
	if ((size_t)have < size + 16 || r[0] != q[0] || r[1] != q[1] ||
	    !(r[2] & 0x80) || (r[3] & 15) || r[7] != 1 ||
	    memcmp(r + HEADER, q + HEADER, size - HEADER))
		return load_complain(c, "a%u: a reply of %zd bytes, flags %02x%02x, %u answers",
				     n, have, r[2], r[3], r[7]);
	memcpy(&got, r + size + 12, 4);
	if (ntohl(got) != (0x0a000000 | n))
		return load_complain(c, "a%u: %08x", n, ntohl(got));
	return LOAD_RIGHT;
}

const struct load_protocol load_dns = {
	.name = "dns",
	.datagrams = true,
	.step = dns_step,
};
