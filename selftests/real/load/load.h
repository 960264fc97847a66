/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a load client needs whatever the protocol: connections with a thread
 * each, counting, and a status file.  The protocols are one file each.
 */
#ifndef HPKM_REAL_LOAD_H
#define HPKM_REAL_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum load_result {
	LOAD_RIGHT,	/* the reply is what it has to be */
	LOAD_WRONG,	/* it is not: load_complain() says how */
	LOAD_LOST,	/* no reply, and so no connection any more */
};

struct load_conn {
	unsigned int index;
	int fd;
	uint64_t random;
	char in[16384];
	size_t start, end;
	void *data;		/* the protocol's own */
};

struct load_protocol {
	const char *name;
	bool datagrams;		/* UDP, not TCP */
	bool command;		/* a process, not a socket: the argument, from "exec " on */
	/* called before the first step, in the connection's thread; or NULL */
	void (*open)(struct load_conn *c);
	/* one request, and all of its reply */
	enum load_result (*step)(struct load_conn *c);
};

extern const struct load_protocol load_dns, load_http, load_memcached,
	load_mqtt, load_redis, load_rsync, load_sftp;

extern const char *load_argument;

/* Connects again, for protocols that have a connection for each request. */
void load_connect(struct load_conn *c);

/* Each returns false when the connection is lost. */
bool load_send(struct load_conn *c, const void *data, size_t size);
bool load_line(struct load_conn *c, char *line, size_t room);
bool load_bytes(struct load_conn *c, void *data, size_t size);

uint32_t load_random(struct load_conn *c, uint32_t below);

/* Returns LOAD_WRONG. */
enum load_result load_complain(struct load_conn *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* HPKM_REAL_LOAD_H */
