/* SPDX-License-Identifier: GPL-2.0 */
/* Messages as the kernel sends them, for the tests of those who read them. */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <netlink/msg.h>

#include "reply.h"

#define FAMILY	0x1c
#define SEQ	77
#define WORDS	3	/* of a doubt */

struct nl_msg *start(int command, uint32_t seq);
struct nl_msg *result_message(uint32_t seq, uint32_t pid, const char *comm,
			      uint32_t status, const char *error, bool blocked);
struct nl_msg *done_message(uint32_t seq, uint32_t status, uint32_t targets);
/* @capped: the request is not repeated; @miss: an attribute, or 0. */
struct nl_msg *error_message(uint32_t seq, int error, const char *words,
			     bool capped, int miss);
/* A patch in a process, with one of its functions, and with its object. */
struct nl_msg *placed_message(uint32_t pid, const char *name, uint32_t order,
			      const char *func, bool object);
struct nl_msg *retiring_message(uint32_t pid, const char *name);
/* @registers: bytes of them. */
struct nl_msg *doubt_message(uint32_t seq, uint32_t request, uint32_t tid,
			     int registers);

#endif /* MESSAGES_H */
