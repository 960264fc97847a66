// SPDX-License-Identifier: GPL-2.0
/* Messages as the kernel sends them, for the tests of those who read them. */
#include <string.h>

#include <linux/genetlink.h>
#include <linux/hpkm.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "messages.h"

struct nl_msg *start(int command, uint32_t seq)
{
	struct nl_msg *message = nlmsg_alloc_size(8192);

	genlmsg_put(message, 0, seq, FAMILY, 0, 0, command, 1);
	nlmsg_hdr(message)->nlmsg_seq = seq;
	return message;
}

static void put_target(struct nl_msg *message, uint32_t pid, const char *comm,
		       uint32_t status, const char *error, bool blocked)
{
	struct nlattr *nest = nla_nest_start(message, HPKM_A_TARGET);

	nla_put_u32(message, HPKM_A_TARGET_PID, pid);
	nla_put_string(message, HPKM_A_TARGET_COMM, comm);
	nla_put_u32(message, HPKM_A_TARGET_STATUS, status);
	nla_put_u32(message, HPKM_A_TARGET_THREADS, 12);
	nla_put_u32(message, HPKM_A_TARGET_ATTEMPTS, 3);
	if (blocked)
		nla_put_u32(message, HPKM_A_TARGET_HOOK,
			    HPKM_HOOK_STATE_WANTED);
	if (error)
		nla_put_string(message, HPKM_A_TARGET_ERROR, error);
	for (int i = 0; blocked && i < 2; i++) {
		struct nlattr *inner;

		inner = nla_nest_start(message, HPKM_A_TARGET_BLOCKED);
		nla_put_u32(message, HPKM_A_BLOCKED_TID, 0x7ffffff0 + i);
		nla_put_string(message, HPKM_A_BLOCKED_FUNC, "parse");
		nla_put_u64(message, HPKM_A_BLOCKED_IP, 0x555555554321);
		if (i) {
			nla_put_u64(message, HPKM_A_BLOCKED_ON_STACK,
				    0x7ffffffff000);
			nla_put_string(message, HPKM_A_BLOCKED_COMM, "work");
		}
		nla_nest_end(message, inner);
	}
	nla_nest_end(message, nest);
}

struct nl_msg *result_message(uint32_t seq, uint32_t pid,
			      const char *comm, uint32_t status,
			      const char *error, bool blocked)
{
	struct nl_msg *message = start(HPKM_CMD_RESULT, seq);

	nla_put_string(message, HPKM_A_PATCH_NAME, "fix");
	/* Of a newer kernel, to be passed over. */
	nla_put_u32(message, 999, 1);
	put_target(message, pid, comm, status, error, blocked);
	return message;
}

struct nl_msg *done_message(uint32_t seq, uint32_t status,
			    uint32_t targets)
{
	struct nl_msg *message = start(HPKM_CMD_DONE, seq);

	nla_put_string(message, HPKM_A_PATCH_NAME, "fix");
	nla_put_string(message, HPKM_A_PATCH_VERSION, "1.2");
	nla_put_u32(message, HPKM_A_STATUS, status);
	nla_put_u64(message, HPKM_A_PAUSE_NS, 143000);
	nla_put_u32(message, HPKM_A_ATTEMPTS, 3);
	nla_put_u64(message, HPKM_A_WORDS, 99);
	nla_put_u32(message, HPKM_A_TARGETS, targets);
	return message;
}

struct nl_msg *error_message(uint32_t seq, int error,
			     const char *words, bool capped, int miss)
{
	struct nl_msg *message = nlmsg_alloc_size(4096);
	struct nlmsghdr request = {
		.nlmsg_len = NLMSG_HDRLEN + (capped ? 200 : 8),
		.nlmsg_seq = seq,
	};
	struct nlmsghdr *header;

	header = nlmsg_put(message, 0, seq, NLMSG_ERROR, 0, 0);
	header->nlmsg_flags = (capped ? NLM_F_CAPPED : 0) |
			      (words || miss ? NLM_F_ACK_TLVS : 0);
	header->nlmsg_seq = seq;
	nlmsg_append(message, &error, sizeof(error), 0);
	nlmsg_append(message, &request, sizeof(request), 0);
	if (!capped)
		nlmsg_append(message, "\0\0\0\0\0\0\0", 8, 0);
	if (words)
		nla_put_string(message, NLMSGERR_ATTR_MSG, words);
	if (miss)
		nla_put_u32(message, NLMSGERR_ATTR_MISS_TYPE, miss);
	return message;
}

struct nl_msg *placed_message(uint32_t pid, const char *name,
			      uint32_t order, const char *func,
			      bool object)
{
	struct nl_msg *message = start(HPKM_CMD_TARGET_GET, SEQ);
	struct nlattr *target = nla_nest_start(message, HPKM_A_TARGET);
	struct nlattr *patch, *inner;

	nla_put_u32(message, HPKM_A_TARGET_PID, pid);
	nla_put_u64(message, HPKM_A_TARGET_START_TIME, 5000);
	nla_put_string(message, HPKM_A_TARGET_COMM, "daemon");
	patch = nla_nest_start(message, HPKM_A_TARGET_PATCH);
	nla_put_string(message, HPKM_A_PLACED_NAME, name);
	nla_put_string(message, HPKM_A_PLACED_VERSION, "1");
	nla_put_u32(message, HPKM_A_PLACED_ORDER, order);
	if (object) {
		inner = nla_nest_start(message, HPKM_A_PLACED_OBJECT);
		nla_put_string(message, HPKM_A_OBJECT_NAME, "daemon");
		nla_put(message, HPKM_A_OBJECT_BUILD_ID, 3, "\x01\xab\xff");
		nla_put_u64(message, HPKM_A_OBJECT_BASE, 0x400000);
		nla_put_u64(message, HPKM_A_OBJECT_SPAN, 0x300000);
		nla_put_u64(message, HPKM_A_OBJECT_SPAN_SIZE, 8192);
		nla_nest_end(message, inner);
	}
	inner = nla_nest_start(message, HPKM_A_PLACED_FUNC);
	nla_put_string(message, HPKM_A_FUNC_NAME, func);
	nla_put_u64(message, HPKM_A_FUNC_OLD, 0x401000);
	nla_put_u64(message, HPKM_A_FUNC_NEW, 0x301000);
	nla_put_u64(message, HPKM_A_FUNC_SLOT, 0x302000);
	if (order == 2)
		nla_put_flag(message, HPKM_A_FUNC_ACTIVE);
	nla_nest_end(message, inner);
	nla_nest_end(message, patch);
	nla_nest_end(message, target);
	return message;
}

struct nl_msg *retiring_message(uint32_t pid, const char *name)
{
	struct nl_msg *message = start(HPKM_CMD_TARGET_GET, SEQ);
	struct nlattr *target = nla_nest_start(message, HPKM_A_TARGET);
	struct nlattr *patch, *inner;

	nla_put_u32(message, HPKM_A_TARGET_PID, pid);
	nla_put_u64(message, HPKM_A_TARGET_START_TIME, 5000);
	nla_put_string(message, HPKM_A_TARGET_COMM, "daemon");
	patch = nla_nest_start(message, HPKM_A_TARGET_PATCH);
	nla_put_string(message, HPKM_A_PLACED_NAME, name);
	nla_put_string(message, HPKM_A_PLACED_VERSION, "1");
	nla_put_flag(message, HPKM_A_PLACED_RETIRING);
	inner = nla_nest_start(message, HPKM_A_PLACED_OBJECT);
	nla_put_string(message, HPKM_A_OBJECT_NAME, "daemon");
	nla_nest_end(message, inner);
	nla_nest_end(message, patch);
	nla_nest_end(message, target);
	return message;
}

struct nl_msg *doubt_message(uint32_t seq, uint32_t request,
			     uint32_t tid, int registers)
{
	struct nl_msg *message = start(HPKM_CMD_DOUBT, seq);
	uint64_t values[HPKM_NUMBERS_MAX + 1] = { 5, 6, 7 };
	struct nlattr *nest, *word;

	nla_put_string(message, HPKM_A_PATCH_NAME, "fix");
	nla_put_u32(message, HPKM_A_REQUEST, request);
	nest = nla_nest_start(message, HPKM_A_DOUBT);
	nla_put_u32(message, HPKM_A_DOUBT_PID, 12);
	nla_put_u32(message, HPKM_A_DOUBT_TID, tid);
	nla_put_u64(message, HPKM_A_DOUBT_SWITCHES, 33);
	nla_put_u64(message, HPKM_A_DOUBT_SP, 0x7000);
	nla_put(message, HPKM_A_DOUBT_REGS, registers, values);
	for (int i = 0; i < WORDS; i++) {
		word = nla_nest_start(message, HPKM_A_DOUBT_WORD);
		nla_put_u64(message, HPKM_A_WORD_ADDRESS, 0x7000 + 8 * i);
		nla_put_u64(message, HPKM_A_WORD_VALUE, 0x400000 + i);
		nla_nest_end(message, word);
	}
	nla_nest_end(message, nest);
	return message;
}
