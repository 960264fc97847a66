// SPDX-License-Identifier: GPL-2.0
/*
 * The generic-netlink family.  Its files turn messages into calls
 * (netlink_request.c) and results into messages (netlink_report.c,
 * netlink_dump.c), and decide nothing but who may ask.  The protocol is
 * described in Documentation/netlink/specs/hpkm.yaml.
 *
 * Operations run in parallel (parallel_ops): none of them waits for a
 * target, and what they share is locked where it lives.
 */
#include <linux/notifier.h>
#include <net/net_namespace.h>

#include "netlink.h"
#include "running.h"

int hpkm_netlink_check(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN) &&
	    netlink_capable(skb, CAP_SYS_PTRACE))
		return 0;
	NL_SET_ERR_MSG(extack, "needs CAP_SYS_ADMIN and CAP_SYS_PTRACE");
	return -EPERM;
}

static const struct genl_ops hpkm_ops[] = {
	{
		.cmd = HPKM_CMD_LOAD,
		.doit = hpkm_load_doit,
		.policy = hpkm_load_policy,
		.maxattr = HPKM_A_MAX,
	},
	{
		.cmd = HPKM_CMD_APPLY,
		.doit = hpkm_apply_doit,
		.policy = hpkm_request_policy,
		.maxattr = HPKM_A_MAX,
	},
	{
		.cmd = HPKM_CMD_REVERT,
		.doit = hpkm_revert_doit,
		.policy = hpkm_request_policy,
		.maxattr = HPKM_A_MAX,
	},
	{
		.cmd = HPKM_CMD_ANSWER,
		.doit = hpkm_answer_doit,
		.policy = hpkm_answer_policy,
		.maxattr = HPKM_A_MAX,
	},
	{
		.cmd = HPKM_CMD_PATCH_GET,
		.start = hpkm_patch_get_start,
		.dumpit = hpkm_patch_get_dumpit,
	},
	{
		.cmd = HPKM_CMD_TARGET_GET,
		.start = hpkm_target_get_start,
		.dumpit = hpkm_target_get_dumpit,
		.done = hpkm_target_get_done,
	},
};

/* Events hold no addresses, but names of processes and functions. */
static const struct genl_multicast_group hpkm_groups[] = {
	{
		.name = HPKM_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
	},
};

struct genl_family hpkm_family __ro_after_init = {
	.name = HPKM_FAMILY_NAME,
	.version = HPKM_FAMILY_VERSION,
	.maxattr = HPKM_A_MAX,
	.module = THIS_MODULE,
	.ops = hpkm_ops,
	.n_ops = ARRAY_SIZE(hpkm_ops),
	.resv_start_op = HPKM_CMD_MAX + 1,
	.mcgrps = hpkm_groups,
	.n_mcgrps = ARRAY_SIZE(hpkm_groups),
	.parallel_ops = true,
};

/* A socket is closed: what it asked for is cancelled, its claims go. */
static int socket_closed(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	const struct netlink_notify *n = data;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC &&
	    net_eq(n->net, &init_net)) {
		hpkm_running_cancel(n->portid);
		hpkm_patch_disclaim(n->portid);
	}
	return NOTIFY_DONE;
}

static struct notifier_block socket_notifier = {
	.notifier_call = socket_closed,
};

int hpkm_netlink_init(void)
{
	int ret;

	ret = hpkm_request_init(&hpkm_netlink_reporter);
	if (ret)
		return ret;
	ret = netlink_register_notifier(&socket_notifier);
	if (ret)
		goto exit_request;
	ret = genl_register_family(&hpkm_family);
	if (ret)
		goto unregister_notifier;
	return 0;

unregister_notifier:
	netlink_unregister_notifier(&socket_notifier);
exit_request:
	hpkm_request_exit();
	return ret;
}

void hpkm_netlink_exit(void)
{
	/* No new requests; then wait for the running ones, which report. */
	hpkm_request_exit();
	genl_unregister_family(&hpkm_family);
	netlink_unregister_notifier(&socket_notifier);
}
