/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Generic netlink without a library, so that messages can be wrong in every
 * way that a library would not let them be.
 */
#ifndef GENL_H
#define GENL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/genetlink.h>
#include <linux/hpkm.h>
#include <linux/netlink.h>

#define MESSAGE_SIZE	8192

/* HPKM_CMD_DOUBT, with the first of its words. */
struct doubt {
	uint32_t pid, tid;
	uint64_t switches, sp;
	uint64_t address, value;
};

struct genl {
	int fd;
	uint16_t family;
	uint32_t seq;
	char words[256];	/* of the kernel: why not */
	unsigned int replies;	/* to the last request, but for the last one */
	bool done;		/* the outcome of the last request came */
	int outcome;
	int target;
	uint64_t pause_ns;	/* what the outcome says of the stops */
	uint64_t scanned;
	uint32_t attempts;
	uint32_t targets;
	bool doubted;		/* a doubt came before an acknowledgement */
	struct doubt doubt;
};

struct message {
	struct nlmsghdr header;
	struct genlmsghdr genl;
	char attrs[MESSAGE_SIZE];
};

/* false: there is no such family. */
bool genl_open(struct genl *genl);
void genl_close(struct genl *genl);

void message_begin(struct message *message, int command);
/* Type and size as they are, whatever that means. */
void *message_put(struct message *message, int type, const void *data,
		  size_t size);
void message_u32(struct message *message, int type, uint32_t value);
void message_u64(struct message *message, int type, uint64_t value);
void message_text(struct message *message, int type, const char *text);
/* A target, with start time unless that is 0. */
void message_target(struct message *message, uint32_t pid, uint64_t start);

/* Send it and wait for the acknowledgement: 0 or a negative errno. */
int genl_ask(struct genl *genl, struct message *message, int flags);
/*
 * Wait for HPKM_CMD_DONE.  Return: its status (enum hpkm_status), -1 when it
 * does not come; @target gets the status of the first target, or -1.
 */
int genl_outcome(struct genl *genl, int *target);

/* Wait for one.  Return: false when HPKM_CMD_DONE, or nothing, came first. */
bool genl_doubt(struct genl *genl, struct doubt *doubt);

/* LOAD of a whole file in memory. */
int genl_load(struct genl *genl, const void *image, size_t size);
/* LOAD of a part of an open file. */
int genl_load_fd(struct genl *genl, int fd, uint64_t offset, uint64_t size);

void *read_whole(const char *path, size_t *size);
/* The directory of the programs that were built with this one, and a slash. */
const char *built_path(const char *file);

#endif /* GENL_H */
