// SPDX-License-Identifier: GPL-2.0
/*
 * The functions that the tests replace.  Compiled several times: VERSION and
 * OTHER tell the versions apart.
 *
 * answer() and tell() agree on BIAS, which changes with the version.  Where
 * an old one met a new one, the sum would be off by thousands.
 */
#include <unistd.h>

#include "load.h"

#ifndef VERSION
#define VERSION	1
#endif
#ifndef OTHER
#define OTHER	1
#endif
#define BIAS	(VERSION * 1000UL)

__attribute__((noipa)) unsigned long tell(unsigned long y)
{
	return (y - BIAS) * 8;
}

__attribute__((noipa)) unsigned long answer(unsigned long x)
{
	return tell(x + BIAS) + VERSION;
}

/* Sleeps in the middle until @fd has a byte. */
__attribute__((noipa)) unsigned long slow(unsigned long x, int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		return 0;
	return x * 8 + VERSION;
}

/* Runs @within in the middle: a signal handler is a caller's business. */
__attribute__((noipa)) unsigned long around(unsigned long x,
					    void (*within)(void))
{
	within();
	return x * 8 + VERSION;
}

__attribute__((noipa)) unsigned long other(unsigned long x)
{
	unsigned long y = x * 8;

	if (y == 1)
		return 0;
	return y + OTHER;
}
