/* SPDX-License-Identifier: GPL-2.0 */
/* The generic-netlink family; what its files share. */
#ifndef _HPKM_NETLINK_H
#define _HPKM_NETLINK_H

#include <linux/netlink.h>
#include <net/genetlink.h>
#include <uapi/linux/hpkm.h>

#include "request.h"

extern struct genl_family hpkm_family;

/*
 * May the sender of @skb ask for anything?  Addresses and names of what runs
 * are shown, so readers are checked, too.  Return: 0 or -EPERM.
 */
int hpkm_netlink_check(struct sk_buff *skb, struct netlink_ext_ack *extack);

/* netlink_request.c */
extern const struct nla_policy hpkm_load_policy[HPKM_A_MAX + 1];
extern const struct nla_policy hpkm_request_policy[HPKM_A_MAX + 1];
extern const struct nla_policy hpkm_answer_policy[HPKM_A_MAX + 1];
int hpkm_load_doit(struct sk_buff *skb, struct genl_info *info);
int hpkm_apply_doit(struct sk_buff *skb, struct genl_info *info);
int hpkm_revert_doit(struct sk_buff *skb, struct genl_info *info);
int hpkm_answer_doit(struct sk_buff *skb, struct genl_info *info);

/* netlink_report.c */
extern const struct hpkm_reporter hpkm_netlink_reporter;

/* netlink_dump.c */
int hpkm_patch_get_start(struct netlink_callback *cb);
int hpkm_patch_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int hpkm_target_get_start(struct netlink_callback *cb);
int hpkm_target_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int hpkm_target_get_done(struct netlink_callback *cb);

int hpkm_netlink_init(void);
void hpkm_netlink_exit(void);

#endif /* _HPKM_NETLINK_H */
