// SPDX-License-Identifier: GPL-2.0
/*
 * HTTP/1.1 with kept connections: file N below 20 has a content that follows from
 * N.  The argument is what precedes its name, "/" unless given; "close " before it
 * says that each request has a connection of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "load.h"

#define FILES	20
#define SIZE(n)	((n) * 700 + 10)

/* What `http_files` in guest makes. */
static char content(uint32_t n, size_t i)
{
	return 'a' + (n + i) % 26;
}

static enum load_result http_step(struct load_conn *c)
{
	bool closing = !strncmp(load_argument, "close ", 6);
	const char *prefix = load_argument + (closing ? 6 : 0);
	uint32_t n = load_random(c, FILES);
	char text[512], line[1024], *body;
	size_t length = 0, wanted = SIZE(n);
	int len, bad;

	if (closing)
		load_connect(c);
	len = snprintf(text, sizeof(text), "GET %sf%u HTTP/1.1\r\n"
		       "Host: localhost\r\n\r\n", *prefix ? prefix : "/", n);
	if (!load_send(c, text, len) || !load_line(c, line, sizeof(line)))
		return LOAD_LOST;
	if (strncmp(line, "HTTP/1.", 7) || strncmp(line + 8, " 200", 4))
		return load_complain(c, "f%u: '%s'", n, line);
	do {
		if (!load_line(c, line, sizeof(line)))
			return LOAD_LOST;
		if (!strncasecmp(line, "Content-Length:", 15))
			length = strtoul(line + 15, NULL, 10);
		if (!closing && !strcasecmp(line, "Connection: close"))
			return load_complain(c, "f%u: %s", n, line);
	} while (*line);
	if (length != wanted)
		return load_complain(c, "f%u: %zu bytes", n, length);
	body = malloc(length);
	if (!body || !load_bytes(c, body, length)) {
		free(body);
		return LOAD_LOST;
	}
	bad = 0;
	for (size_t i = 0; i < length; i++)
		bad |= body[i] != content(n, i);
	free(body);
	return bad ? load_complain(c, "f%u: wrong content", n) : LOAD_RIGHT;
}

const struct load_protocol load_http = {
	.name = "http",
	.step = http_step,
};
