/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 5: what requests and answers to the kernel hold.  Each returns 0, or
 * something else when the message has no room.
 */
#ifndef HPKM_ASK_H
#define HPKM_ASK_H

#include "reply.h"

struct hpkm_bindings;
struct hpkm_request;
struct nl_msg;

int hpkm_ask_targets(struct nl_msg *message,
		     const struct hpkm_request *request);
int hpkm_ask_options(struct nl_msg *message,
		     const struct hpkm_request *request);
/* Bytes that the bindings take in a message, at most. */
size_t hpkm_ask_bindings_size(const struct hpkm_bindings *bindings);
/* The answer to a question of request @seq: words that are stale. */
int hpkm_ask_answer(struct nl_msg *message, uint32_t seq,
		    const struct hpkm_doubt *doubt);

#endif /* HPKM_ASK_H */
