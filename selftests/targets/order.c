// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that are replaced by a patch with hooks. VERSION tells them apart;
 * HOOKS is for a patch that has any.
 */
#include <unistd.h>

#include "order.h"

#ifndef VERSION
#define VERSION	1
#endif

__attribute__((noipa)) int order(void)
{
#if VERSION > 1
	if (!order_done)
		order_early++;
#endif
	return VERSION + 0 * order_runs;
}

/* Stays until it is let go. */
__attribute__((noipa)) int linger(void)
{
	while (order_linger)
		usleep(1000);
	return VERSION;
}

#ifdef HOOKS
#include <hpkm/patch.h>

static void apply(void)
{
	order_runs++;
	order_in_hook = 1;
	do
		usleep(20000);
	while (order_hold);
	order_in_hook = 0;
	order_done = 1;
}
HPKM_APPLY_HOOK(apply);

static void revert(void)
{
	order_undone++;
}
HPKM_REVERT_HOOK(revert);
#endif
