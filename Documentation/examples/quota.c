// SPDX-License-Identifier: GPL-2.0
#include "quota.h"

static int limit = 100;

void quota_set(int value)
{
	limit = value;
}

int quota_ok(int used)
{
	return used < limit;
}
