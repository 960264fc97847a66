/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _HPKM_NETLINK_H
#define _HPKM_NETLINK_H

int hpkm_netlink_init(void);
void hpkm_netlink_exit(void);

#endif /* _HPKM_NETLINK_H */
