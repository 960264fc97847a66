// SPDX-License-Identifier: GPL-2.0
/* The part of the server that has the bugs; fix-1 and fix-2 are their fixes. */
#include "price.h"

static const long cents[] = { 199, 349, 1250, 4999, 75, 3301, 18, 999 };

/* Of ten pieces or more, each is five per cent off. */
long price(unsigned int item, unsigned int count)
{
	long total = cents[item % ITEMS] * count;

	if (count > 10)
		total -= total * 5 / 100;
	return total;
}
