/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 5: one request to the kernel module and what came back. */
#ifndef HPKM_TALK_H
#define HPKM_TALK_H

#include "reply.h"

#define HPKM_TALK_WORDS	512

struct nlmsghdr;

struct hpkm_talk {
	uint16_t family;
	uint32_t seq;
	const struct nlmsghdr *request;	/* what an error may point into */
	bool answered;		/* acknowledged, refused, or end of a dump */
	bool interrupted;	/* the dump is not of one moment */
	bool done;		/* the end of the transition came */
	bool unloaded;		/* the family has gone */
	int error;		/* 0 or a negative errno */
	char words[HPKM_TALK_WORDS];

	/* Where messages go; NULL: they are not expected. */
	struct hpkm_loaded *patch;
	struct hpkm_outcome *outcome;
	struct hpkm_list *patches;
	struct hpkm_list *targets;
	struct hpkm_list *doubts;
	void (*notice)(struct hpkm_notice *notice, void *data);
	void *data;
};

/*
 * One datagram.  Return: 0; or a negative errno when it is not one that this
 * protocol allows.
 */
int hpkm_talk_input(struct hpkm_talk *talk, void *buffer, int length);

/* A transition is refused, or is both acknowledged and done. */
bool hpkm_talk_over(const struct hpkm_talk *talk);

#endif /* HPKM_TALK_H */
