// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "sum.h"

void describe(char *text, size_t size, int value)
{
	if (value > LIMIT)
		snprintf(text, size, "more than %d", LIMIT);
	else
		snprintf(text, size, "at most %d", LIMIT);
}
