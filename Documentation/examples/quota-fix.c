// SPDX-License-Identifier: GPL-2.0
#include <hpkm/patch.h>

#include "quota.h"

/* Stays as it was: running processes have it. Upstream it becomes 250. */
static int limit = 100;

void quota_set(int value)
{
	limit = value;
}

int quota_ok(int used)
{
	return used < limit;
}

/* Whoever was given another limit by quota_set() keeps it. */
static void raise_limit(void)
{
	if (limit == 100)
		limit = 250;
}

static void lower_limit(void)
{
	if (limit == 250)
		limit = 100;
}

HPKM_APPLY_HOOK(raise_limit);
HPKM_REVERT_HOOK(lower_limit);
/* No function changes; the hooks run when one of these is called. */
HPKM_REPLACE(quota_ok);
HPKM_REPLACE(quota_set);
