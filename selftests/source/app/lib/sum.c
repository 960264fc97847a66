// SPDX-License-Identifier: GPL-2.0
#include "sum.h"

__attribute__((noinline)) static int clamp(int value)
{
	return value > 12 ? 12 : value;
}

int sum(int a, int b)
{
	static int total;

	total += a;
	return clamp(a + b) + total;
}
