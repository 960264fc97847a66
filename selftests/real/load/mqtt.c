// SPDX-License-Identifier: GPL-2.0
/*
 * MQTT 3.1.1: each connection subscribes to a topic of its own with QoS 1 and
 * publishes to it: every message has to be acknowledged, and to come back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

#define PAYLOAD 80

/* One packet; its type and flags, and a body no longer than ROOM. */
static bool packet(struct load_conn *c, uint8_t *type, uint8_t *body,
		   size_t room, size_t *size)
{
	uint8_t byte;
	int shift = 0;

	*size = 0;
	if (!load_bytes(c, type, 1))
		return false;
	do {
		if (!load_bytes(c, &byte, 1))
			return false;
		*size |= (size_t)(byte & 127) << shift;
		shift += 7;
	} while (byte & 128 && shift < 28);
	return *size <= room && load_bytes(c, body, *size);
}

static size_t text(uint8_t *to, const char *s)
{
	size_t n = strlen(s);

	to[0] = n >> 8;
	to[1] = n;
	memcpy(to + 2, s, n);
	return n + 2;
}

static bool send_packet(struct load_conn *c, uint8_t type, const uint8_t *body,
			uint8_t size)
{
	uint8_t out[256] = { type, size };

	memcpy(out + 2, body, size);
	return load_send(c, out, size + 2);
}

static void topic_of(struct load_conn *c, char *to)
{
	sprintf(to, "hpkm/%d/%u", getpid(), c->index);
}

static void mqtt_open(struct load_conn *c)
{
	static const uint8_t connect[] = {
		0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0
	};
	uint8_t out[128], in[16], type;
	char name[64];
	size_t n = sizeof(connect), size;

	memcpy(out, connect, n);
	topic_of(c, name);
	n += text(out + n, name);
	if (!send_packet(c, 0x10, out, n) ||
	    !packet(c, &type, in, sizeof(in), &size) || type != 0x20 || in[1]) {
		load_complain(c, "no CONNACK");
		exit(1);
	}
	out[0] = 0;
	out[1] = 1;
	n = 2 + text(out + 2, name);
	out[n++] = 1;
	if (!send_packet(c, 0x82, out, n) ||
	    !packet(c, &type, in, sizeof(in), &size) || type != 0x90 ||
	    in[2] != 1) {
		load_complain(c, "no SUBACK");
		exit(1);
	}
}

static enum load_result mqtt_step(struct load_conn *c)
{
	uint8_t out[256], in[256], type;
	uint16_t id = 1 + load_random(c, 65535);
	bool acknowledged = false, came = false;
	size_t n, name, size;
	char topic[64];

	topic_of(c, topic);
	name = text(out, topic);
	out[name] = id >> 8;
	out[name + 1] = id;
	n = name + 2;
	for (int i = 0; i < PAYLOAD; i++)
		out[n++] = load_random(c, 256);
	if (!send_packet(c, 0x32, out, n))
		return LOAD_LOST;
	while (!acknowledged || !came) {
		if (!packet(c, &type, in, sizeof(in), &size))
			return LOAD_LOST;
		if (type == 0x40 && size == 2 && in[0] == id >> 8 &&
		    in[1] == (id & 255) && !acknowledged) {
			acknowledged = true;
			continue;
		}
		if (type == 0x32 && size == n && !came &&
		    !memcmp(in, out, name) &&
		    !memcmp(in + name + 2, out + name + 2, PAYLOAD)) {
			came = true;
			if (!send_packet(c, 0x40, in + name, 2))
				return LOAD_LOST;
			continue;
		}
		return load_complain(c, "packet %02x of %zu bytes", type, size);
	}
	return LOAD_RIGHT;
}

const struct load_protocol load_mqtt = {
	.name = "mqtt",
	.open = mqtt_open,
	.step = mqtt_step,
};
