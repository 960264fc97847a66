/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test Anything Protocol, version 13, for tests that run as root on the
 * running kernel.  The little of kselftest.h that they use, so that they can
 * be built where there is no kernel source.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define TAP_SKIP	4	/* exit status of kselftests */

static int tap_count, tap_failed;

static inline void tap_plan(int tests)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%d\n", tests);
}

__attribute__((format(printf, 1, 2)))
static inline void tap_note(const char *format, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

__attribute__((format(printf, 2, 3)))
static inline void tap_result(bool good, const char *format, ...)
{
	va_list ap;

	printf("%sok %d ", good ? "" : "not ", ++tap_count);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	tap_failed += !good;
}

static inline int tap_exit(void)
{
	return tap_failed ? 1 : 0;
}

static inline void tap_skip_all(const char *why)
{
	printf("TAP version 13\n1..0 # SKIP %s\n", why);
	exit(TAP_SKIP);
}

#endif /* TAP_H */
