// SPDX-License-Identifier: GPL-2.0
/* A small program: before, after (NEW), and built from elsewhere (OTHER). */
#include <stdio.h>
#include <stdlib.h>

static int counter = 5;
int global_total;
static const int table[] = { 1, 2, 3, 4 };

__attribute__((noinline)) static int helper(int x)
{
	return x * 3 + table[x & 3];
}

__attribute__((noinline)) int first(int x)
{
	static int n = 1;

	return x + n++;
}

__attribute__((noinline)) int changed(int x)
{
	static int n = 2;

	if (x > 1000)
		return counter;

#if defined(NEW)
	static int extra = 50;

	global_total += extra++;
	return helper(x) + n++ + counter++;
#elif defined(OTHER)
	return helper(x) - n++ * counter++;
#else
	return helper(x) - n++ + counter++;
#endif
}

__attribute__((noinline)) const char *name(int x)
{
	switch (x) {
	case 0: return "zero";
	case 1: return "one";
	case 2: return "two";
	case 3: return "three";
	case 4: return "four";
	case 5: return getenv("HOME");
#ifdef NEW
	case 6: return "six";
#endif
	default: return "many";
	}
}

__attribute__((noinline)) int last(int x)
{
	static int n = 3;

	return x * n++;
}

int main(int argc, char **argv)
{
	(void)argv;
	printf("%d %d %s %d %d\n", first(argc), changed(argc), name(argc),
	       last(argc), global_total);
	return 0;
}
