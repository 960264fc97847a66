// SPDX-License-Identifier: GPL-2.0
/* What becomes of a request: results, questions and events to messages. */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "arch/arch.h"
#include "netlink.h"

static int put_blocker(struct sk_buff *skb, const struct hpkm_blocker *b)
{
	struct nlattr *nest = nla_nest_start(skb, HPKM_A_TARGET_BLOCKED);

	if (!nest || nla_put_u32(skb, HPKM_A_BLOCKED_TID, b->tid) ||
	    nla_put_string(skb, HPKM_A_BLOCKED_FUNC, b->func) ||
	    nla_put_string(skb, HPKM_A_BLOCKED_COMM, b->comm))
		return -EMSGSIZE;
	if (b->ip && nla_put_u64_64bit(skb, HPKM_A_BLOCKED_IP, b->ip, 0))
		return -EMSGSIZE;
	if (b->on_stack && nla_put_u64_64bit(skb, HPKM_A_BLOCKED_ON_STACK,
					     b->on_stack, 0))
		return -EMSGSIZE;
	if (b->since && nla_put_u64_64bit(skb, HPKM_A_BLOCKED_SINCE,
					  div_u64(ktime_get_ns() - b->since,
						  NSEC_PER_MSEC), 0))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* @addresses: not for everybody. */
static int put_target(struct sk_buff *skb, const struct hpkm_transition *t,
		      bool addresses)
{
	struct nlattr *nest = nla_nest_start(skb, HPKM_A_TARGET);

	if (!nest || nla_put_u32(skb, HPKM_A_TARGET_PID, t->target.pid) ||
	    nla_put_string(skb, HPKM_A_TARGET_COMM, t->target.comm) ||
	    nla_put_u32(skb, HPKM_A_TARGET_STATUS, t->status) ||
	    nla_put_string(skb, HPKM_A_TARGET_ERROR, t->why) ||
	    nla_put_u32(skb, HPKM_A_TARGET_THREADS, t->threads) ||
	    nla_put_u32(skb, HPKM_A_TARGET_ATTEMPTS, t->attempts))
		return -EMSGSIZE;
	if (t->hook_shown &&
	    nla_put_u32(skb, HPKM_A_TARGET_HOOK, t->hook_state))
		return -EMSGSIZE;
	for (u32 i = 0; i < t->blocker_count; i++) {
		struct hpkm_blocker b = t->blockers[i];

		if (!addresses) {
			b.ip = 0;
			b.on_stack = 0;
		}
		if (put_blocker(skb, &b))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static size_t target_size(const struct hpkm_transition *t)
{
	return 1024 + t->blocker_count * (sizeof(struct hpkm_blocker) + 64);
}

/* What a message to the client is made of; one of them is not NULL. */
struct subject {
	const struct hpkm_transition *t;
	const struct hpkm_doubt *doubt;
};

static int put_result(struct sk_buff *skb, const struct hpkm_request *request,
		      const struct subject *s)
{
	return nla_put_string(skb, HPKM_A_PATCH_NAME, request->name) ||
	       put_target(skb, s->t, true);
}

static int put_doubt(struct sk_buff *skb, const struct hpkm_request *request,
		     const struct subject *s)
{
	const struct hpkm_doubt *d = s->doubt;
	u64 regs[HPKM_ARCH_DWARF_REGS];
	struct nlattr *nest, *word;
	u32 i;

	if (nla_put_string(skb, HPKM_A_PATCH_NAME, request->name) ||
	    nla_put_u32(skb, HPKM_A_REQUEST, request->seq))
		return -EMSGSIZE;
	hpkm_arch_dwarf_regs(&d->regs, regs);
	nest = nla_nest_start(skb, HPKM_A_DOUBT);
	if (!nest || nla_put_u32(skb, HPKM_A_DOUBT_PID, s->t->target.pid) ||
	    nla_put_u32(skb, HPKM_A_DOUBT_TID, d->tid) ||
	    nla_put_u64_64bit(skb, HPKM_A_DOUBT_SWITCHES, d->switches, 0) ||
	    nla_put_u64_64bit(skb, HPKM_A_DOUBT_SP, d->sp, 0) ||
	    nla_put(skb, HPKM_A_DOUBT_REGS, sizeof(regs), regs))
		return -EMSGSIZE;
	for (i = 0; i < d->hits.count; i++) {
		word = nla_nest_start(skb, HPKM_A_DOUBT_WORD);
		if (!word ||
		    nla_put_u64_64bit(skb, HPKM_A_WORD_ADDRESS,
				      d->hits.hit[i].address, 0) ||
		    nla_put_u64_64bit(skb, HPKM_A_WORD_VALUE,
				      d->hits.hit[i].word, 0))
			return -EMSGSIZE;
		nla_nest_end(skb, word);
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_done(struct sk_buff *skb, const struct hpkm_request *request,
		    const struct subject *s)
{
	const struct hpkm_transition *t;
	u32 targets = 0;

	list_for_each_entry(t, &request->transitions, node)
		targets++;
	return nla_put_string(skb, HPKM_A_PATCH_NAME, request->name) ||
	       (request->patch &&
		nla_put_string(skb, HPKM_A_PATCH_VERSION,
			       hpkm_patch_version(request->patch))) ||
	       nla_put_u32(skb, HPKM_A_STATUS, request->status) ||
	       nla_put_string(skb, HPKM_A_ERROR, request->why) ||
	       nla_put_u64_64bit(skb, HPKM_A_PAUSE_NS, request->pause_ns, 0) ||
	       nla_put_u32(skb, HPKM_A_ATTEMPTS, request->attempts) ||
	       nla_put_u64_64bit(skb, HPKM_A_WORDS, request->words, 0) ||
	       nla_put_u32(skb, HPKM_A_TARGETS, targets);
}

/*
 * Deliver a message, however slowly the client reads and however little memory
 * there is: it is made anew for each try, for a try uses it up.
 */
static int deliver(struct hpkm_request *request, u8 cmd, size_t size,
		   int (*put)(struct sk_buff *skb,
			      const struct hpkm_request *request,
			      const struct subject *s),
		   const struct subject *s)
{
	while (!READ_ONCE(request->cancelled)) {
		struct sk_buff *skb = genlmsg_new(size, GFP_KERNEL);
		int ret = -EAGAIN;
		void *head;

		if (skb) {
			head = genlmsg_put(skb, request->portid, request->seq,
					   &hpkm_family, 0, cmd);
			if (WARN_ON_ONCE(!head || put(skb, request, s))) {
				nlmsg_free(skb);
				return -EMSGSIZE;
			}
			genlmsg_end(skb, head);
			ret = genlmsg_unicast(&init_net, skb, request->portid);
		}
		if (ret != -EAGAIN)
			return ret;
		msleep(20);
	}
	return -ECONNREFUSED;
}

static int report_result(struct hpkm_request *request,
			 const struct hpkm_transition *t)
{
	struct subject s = { .t = t };

	return deliver(request, HPKM_CMD_RESULT, target_size(t), put_result,
		       &s);
}

static int report_doubt(struct hpkm_request *request,
			const struct hpkm_transition *t,
			const struct hpkm_doubt *doubt)
{
	struct subject s = { .t = t, .doubt = doubt };

	/* A word takes 28 bytes, and up to 8 of padding. */
	return deliver(request, HPKM_CMD_DOUBT,
		       1024 + doubt->hits.count * 64, put_doubt, &s);
}

static int report_done(struct hpkm_request *request)
{
	struct subject s = { 0 };

	return deliver(request, HPKM_CMD_DONE, 1024, put_done, &s);
}

static void report_notice(const struct hpkm_request *request,
			  enum hpkm_event event,
			  const struct hpkm_transition *t)
{
	struct sk_buff *skb;
	void *head;

	if (!genl_has_listeners(&hpkm_family, &init_net, 0))
		return;
	skb = genlmsg_new(target_size(t), GFP_KERNEL);
	if (!skb)
		return;
	head = genlmsg_put(skb, 0, 0, &hpkm_family, 0, HPKM_CMD_NOTICE);
	if (!head || nla_put_u32(skb, HPKM_A_EVENT, event) ||
	    nla_put_string(skb, HPKM_A_PATCH_NAME, request->name) ||
	    put_target(skb, t, false)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, head);
	genlmsg_multicast(&hpkm_family, skb, 0, 0, GFP_KERNEL);
}

const struct hpkm_reporter hpkm_netlink_reporter = {
	.result = report_result,
	.doubt = report_doubt,
	.done = report_done,
	.notice = report_notice,
};
