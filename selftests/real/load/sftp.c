// SPDX-License-Identifier: GPL-2.0
/*
 * SFTP through a command that leads to a server, such as ssh -s: the sizes of
 * files that `http_files` in guest made.  The argument is "DIRECTORY COMMAND".
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define INIT	1
#define VERSION	2
#define STAT	17
#define ATTRS	105

static size_t put32(uint8_t *to, uint32_t value)
{
	value = htonl(value);
	memcpy(to, &value, 4);
	return 4;
}

static uint32_t get32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, 4);
	return ntohl(value);
}

/* One packet, its type the first byte. */
static bool packet(struct load_conn *c, uint8_t *to, size_t room, size_t *size)
{
	uint8_t length[4];

	if (!load_bytes(c, length, 4))
		return false;
	*size = get32(length);
	return *size && *size <= room && load_bytes(c, to, *size);
}

static void sftp_open(struct load_conn *c)
{
	static const uint8_t init[] = { 0, 0, 0, 5, INIT, 0, 0, 0, 3 };
	uint8_t in[1024];
	size_t size;

	if (!load_send(c, init, sizeof(init)) ||
	    !packet(c, in, sizeof(in), &size) || in[0] != VERSION) {
		load_complain(c, "no version");
		exit(1);
	}
}

static enum load_result sftp_step(struct load_conn *c)
{
	uint32_t n = load_random(c, 20), id = load_random(c, 1 << 30);
	size_t dir = strcspn(load_argument, " "), size, at = 4;
	uint8_t out[512], in[1024];
	char path[256];
	int len;

	len = snprintf(path, sizeof(path), "%.*s/f%u", (int)dir, load_argument,
		       n);
	out[at++] = STAT;
	at += put32(out + at, id);
	at += put32(out + at, len);
	memcpy(out + at, path, len);
	at += len;
	put32(out, at - 4);
	if (!load_send(c, out, at) || !packet(c, in, sizeof(in), &size))
		return LOAD_LOST;
	if (in[0] == ATTRS && size >= 17 && get32(in + 1) == id &&
	    get32(in + 5) & 1 && !get32(in + 9) &&
	    get32(in + 13) == n * 700 + 10)
		return LOAD_RIGHT;
	return load_complain(c, "%s: type %u, %zu bytes", path, in[0], size);
}

const struct load_protocol load_sftp = {
	.name = "sftp",
	.command = true,
	.open = sftp_open,
	.step = sftp_step,
};
