// SPDX-License-Identifier: GPL-2.0
/*
 * memcached's text protocol, with a model of what the cache has to hold.
 * Every connection has keys of its own, few enough that none is ever evicted,
 * so each reply is known beforehand to the byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

#define KEYS		32
#define COUNTERS	4
#define VALUE_MAX	1500
#define GETS_MAX	8

struct value {
	bool present;
	uint32_t seed, size;
};

struct model {
	char prefix[32];	/* of this connection's keys */
	struct value values[KEYS];
	uint64_t counters[COUNTERS];
	bool counting[COUNTERS];
};

static void memcached_open(struct load_conn *c)
{
	c->data = calloc(1, sizeof(struct model));
	if (!c->data)
		abort();
	sprintf(((struct model *)c->data)->prefix, "%d-%u", getpid(), c->index);
}

/* The content of a value follows from its seed. */
static void content(const struct value *v, char *to)
{
	for (uint32_t i = 0; i < v->size; i++)
		to[i] = 'a' + (v->seed + i * 7 + i / 26) % 26;
}

static bool request(struct load_conn *c, const char *text)
{
	return load_send(c, text, strlen(text));
}

/* A reply of one line. */
static enum load_result expect(struct load_conn *c, const char *what,
			       const char *reply)
{
	char line[256];

	if (!load_line(c, line, sizeof(line)))
		return LOAD_LOST;
	if (!strcmp(line, reply))
		return LOAD_RIGHT;
	return load_complain(c, "%s: '%s' instead of '%s'", what, line, reply);
}

static enum load_result set(struct load_conn *c, struct model *m)
{
	uint32_t key = load_random(c, KEYS);
	struct value *v = &m->values[key];
	char text[VALUE_MAX + 128];
	int n;

	v->seed = load_random(c, 60000);
	v->size = load_random(c, VALUE_MAX + 1);
	v->present = true;
	n = sprintf(text, "set %s-k%u %u 0 %u\r\n", m->prefix, key, v->seed,
		    v->size);
	content(v, text + n);
	memcpy(text + n + v->size, "\r\n", 2);
	if (!load_send(c, text, n + v->size + 2))
		return LOAD_LOST;
	return expect(c, "set", "STORED");
}

static enum load_result del(struct load_conn *c, struct model *m)
{
	uint32_t key = load_random(c, KEYS);
	bool present = m->values[key].present;
	char text[64];

	m->values[key].present = false;
	sprintf(text, "delete %s-k%u\r\n", m->prefix, key);
	if (!request(c, text))
		return LOAD_LOST;
	return expect(c, "delete", present ? "DELETED" : "NOT_FOUND");
}

/*
 * Only keys that are there are asked for together: this version's proxy loses
 * values when one of several keys is a miss, which is not what is tested here.
 */
static enum load_result get(struct load_conn *c, struct model *m, uint32_t count)
{
	char text[GETS_MAX * 32 + 16] = "get", line[256], want[256];
	char body[VALUE_MAX + 2], right[VALUE_MAX + 2];
	uint32_t keys[GETS_MAX];
	int n = strlen(text);

	for (uint32_t i = 0; i < count; i++) {
		do
			keys[i] = load_random(c, KEYS);
		while (count > 1 && !m->values[keys[i]].present);
		n += sprintf(text + n, " %s-k%u", m->prefix, keys[i]);
	}
	strcpy(text + n, "\r\n");
	if (!request(c, text))
		return LOAD_LOST;
	for (uint32_t i = 0; i < count; i++) {
		const struct value *v = &m->values[keys[i]];

		if (!v->present)
			continue;
		sprintf(want, "VALUE %s-k%u %u %u", m->prefix, keys[i],
			v->seed, v->size);
		if (!load_line(c, line, sizeof(line)))
			return LOAD_LOST;
		if (strcmp(line, want))
			return load_complain(c, "get: '%s' instead of '%s'",
					     line, want);
		if (!load_bytes(c, body, v->size + 2))
			return LOAD_LOST;
		content(v, right);
		memcpy(right + v->size, "\r\n", 2);
		if (memcmp(body, right, v->size + 2))
			return load_complain(c, "get: wrong content");
	}
	return expect(c, "get", "END");
}

static enum load_result count(struct load_conn *c, struct model *m)
{
	uint32_t key = load_random(c, COUNTERS), by = load_random(c, 1000);
	char text[128], reply[32];

	if (!m->counting[key]) {
		m->counting[key] = true;
		m->counters[key] = by;
		sprintf(reply, "STORED");
		sprintf(text, "set %s-n%u 0 0 %d\r\n%u\r\n", m->prefix, key,
			snprintf(NULL, 0, "%u", by), by);
	} else {
		m->counters[key] += by;
		sprintf(text, "incr %s-n%u %u\r\n", m->prefix, key, by);
		sprintf(reply, "%llu", (unsigned long long)m->counters[key]);
	}
	if (!request(c, text))
		return LOAD_LOST;
	return expect(c, "incr", reply);
}

static bool any_present(const struct model *m)
{
	for (uint32_t i = 0; i < KEYS; i++)
		if (m->values[i].present)
			return true;
	return false;
}

static enum load_result memcached_step(struct load_conn *c)
{
	struct model *m = c->data;

	switch (load_random(c, 10)) {
	case 0 ... 2:
		return set(c, m);
	case 3 ... 5:
		return get(c, m, 1);
	case 6 ... 7:
		return get(c, m, any_present(m) ?
			   2 + load_random(c, GETS_MAX - 1) : 1);
	case 8:
		return count(c, m);
	default:
		return del(c, m);
	}
}

const struct load_protocol load_memcached = {
	.name = "memcached",
	.open = memcached_open,
	.step = memcached_step,
};
