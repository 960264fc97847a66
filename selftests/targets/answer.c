// SPDX-License-Identifier: GPL-2.0
/*
 * The functions that the tests replace.  Compiled several times: VERSION and
 * OTHER tell the versions apart.
 *
 * answer() and tell() agree on BIAS, which changes with the version.  Where
 * an old one met a new one, the sum would be off by thousands.  PART 1 is all
 * but tell(), which is in PART 2, for a program and a library.
 *
 * IMPORTS: answer() calls functions that no earlier version imported.
 * COLD: slow() sleeps in a part of it that the compiler moves away.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#ifndef VERSION
#define VERSION	1
#endif
#ifndef OTHER
#define OTHER	1
#endif
#define BIAS	(VERSION * 1000UL)

#ifdef IMPORTS
#ifdef __PIC__
int nobody_has_this(void) __attribute__((weak));
#else
#define nobody_has_this	0
#endif
#ifdef MISSING
int somebody_should_have_this(void);
#else
#define somebody_should_have_this()	0
#endif

static size_t (*const in_data)(const char *, const char *) = strcspn;
static int (*volatile first_bit)(long long) = ffsll;

/*
 * 0; 1 when a library that was preloaded answers; else what spoils a sum.  No
 * system calls: the threads would nearly always be in here.
 */
static unsigned long imported(void)
{
	const char *volatile text = "aabcc";
	const char *volatile part = "bc";

	if (strspn(text, "a") != 2 || in_data(text, "c") != 3 ||
	    strstr(text, part) != text + 2 || time(NULL) < 1600000000 ||
	    nobody_has_this || somebody_should_have_this())
		return 100000;
	return first_bit(*text == 'b') == 4242;
}
#else
#define imported()	0UL
#endif

#if !defined(PART) || PART == 2
__attribute__((noipa)) unsigned long tell(unsigned long y)
{
	return (y - BIAS) * 8;
}
#endif

#if !defined(PART) || PART == 1

__attribute__((noipa)) unsigned long answer(unsigned long x)
{
	return tell(x + BIAS) + VERSION - imported();
}

#ifdef COLD
ssize_t slow_read(int fd, void *to, size_t size) __asm__("read")
	__attribute__((cold));
#else
#define slow_read	read
#endif

/* Sleeps in the middle until @fd has a byte. */
__attribute__((noipa)) unsigned long slow(unsigned long x, int fd)
{
	char byte;

	if (fd >= 0 && slow_read(fd, &byte, 1) != 1)
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
#endif
