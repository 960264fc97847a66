// SPDX-License-Identifier: GPL-2.0
/* A program of several files and a library, for building it in many ways. */
#include <stdio.h>
#include <string.h>

#include "lib/sum.h"

static int calls;

__attribute__((noinline)) static int weigh(int value)
{
	calls++;
	return value * 3;
}

__attribute__((noinline)) static const char *place(void)
{
	return __FILE__;
}

void run_case(FILE *out)
{
	char text[64];

	for (int i = 0; i < 4; i++)
		fprintf(out, "weigh %d, sum %d\n", weigh(i), sum(i, 10));
	describe(text, sizeof(text), 12);
	fprintf(out, "%s, %d calls, %s\n", text, calls,
		strrchr(place(), 'm'));
}
