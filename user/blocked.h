/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that are in the way: what they do, and what can be done (stage 11). */
#ifndef HPKM_BLOCKED_H
#define HPKM_BLOCKED_H

#include "nl.h"
#include "reply.h"

/*
 * Look at the threads that a target is blocked by, at once, while they still
 * wait where they did.  The options of the request, where it is ours, tell what
 * can be advised; else "request" is NULL.
 */
void hpkm_blocked_look(struct hpkm_target *target,
		       const struct hpkm_request *request,
		       enum hpkm_transition which);

#endif /* HPKM_BLOCKED_H */
