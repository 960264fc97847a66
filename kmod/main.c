// SPDX-License-Identifier: GPL-2.0
/* hpkm: hot updates of running processes.  Start and end of the module. */
#include <linux/module.h>
#include <net/genetlink.h>

#include "netlink.h"
#include "retire.h"
#include "patch.h"
#include "place.h"

static int __init hpkm_init(void)
{
	int ret;

	ret = hpkm_place_init();
	if (ret)
		return ret;
	return hpkm_netlink_init();
}

/* Runs only when no mapping of ours exists: each holds a reference. */
static void __exit hpkm_exit(void)
{
	hpkm_netlink_exit();
	hpkm_retire_exit();
	hpkm_patch_exit();
}

module_init(hpkm_init);
module_exit(hpkm_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Hot updates of running processes");
MODULE_ALIAS_GENL_FAMILY("hpkm");
