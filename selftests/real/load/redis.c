// SPDX-License-Identifier: GPL-2.0
/* Redis's protocol: lists, counters and strings of which each reply is known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

#define KEYS 16

struct model {
	char prefix[32];
	uint64_t counter[KEYS];
	uint32_t string[KEYS], length[KEYS];
};

static void redis_open(struct load_conn *c)
{
	c->data = calloc(1, sizeof(struct model));
	if (!c->data)
		abort();
	sprintf(((struct model *)c->data)->prefix, "%d-%u", getpid(), c->index);
}

static enum load_result ask(struct load_conn *c, const char *command,
			    const char *reply)
{
	char line[256];
	size_t lines = 1;

	if (!load_send(c, command, strlen(command)))
		return LOAD_LOST;
	/* A bulk string: its length, then itself. */
	if (*reply == '$')
		lines = 2;
	while (lines--) {
		const char *end = strchrnul(reply, '\n');

		if (!load_line(c, line, sizeof(line)))
			return LOAD_LOST;
		if (strlen(line) != (size_t)(end - reply) ||
		    strncmp(line, reply, end - reply))
			return load_complain(c, "%s: '%s' instead of '%s'",
					     command, line, reply);
		reply = *end ? end + 1 : end;
	}
	return LOAD_RIGHT;
}

static enum load_result redis_step(struct load_conn *c)
{
	struct model *m = c->data;
	uint32_t key = load_random(c, KEYS), by = load_random(c, 1000);
	char command[256], reply[256], number[16];
	const char *p = m->prefix;

	switch (load_random(c, 5)) {
	case 0:
		sprintf(command, "INCRBY n%s-%u %u\r\n", p, key, by);
		m->counter[key] += by;
		sprintf(reply, ":%llu", (unsigned long long)m->counter[key]);
		break;
	case 1:
		m->string[key] = load_random(c, 1000000000);
		sprintf(command, "SET s%s-%u %u\r\n", p, key, m->string[key]);
		sprintf(reply, "+OK");
		break;
	case 2:
		sprintf(command, "RPUSH l%s-%u %u\r\n", p, key, by);
		sprintf(reply, ":%u", ++m->length[key]);
		break;
	case 3:
		sprintf(command, "EVAL \"return redis.call('incrby', KEYS[1], "
			"ARGV[1])\" 1 n%s-%u %u\r\n", p, key, by);
		m->counter[key] += by;
		sprintf(reply, ":%llu", (unsigned long long)m->counter[key]);
		break;
	default:
		if (!m->string[key])
			m->string[key] = 1 + by;
		sprintf(command, "SET s%s-%u %u\r\n", p, key, m->string[key]);
		if (ask(c, command, "+OK") != LOAD_RIGHT)
			return LOAD_LOST;
		sprintf(command, "GET s%s-%u\r\n", p, key);
		sprintf(number, "%u", m->string[key]);
		sprintf(reply, "$%zu\n%s", strlen(number), number);
	}
	return ask(c, command, reply);
}

const struct load_protocol load_redis = {
	.name = "redis",
	.open = redis_open,
	.step = redis_step,
};
