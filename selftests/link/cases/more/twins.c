/* The twin of ../twins.c; it does not change. */
#include <stdio.h>

static int state = 20;
static const char *const label = "second";

__attribute__((noinline)) static int step(int x)
{
	static int n = 7;

	state += x;
	return state * 3 + n++;
}

__attribute__((noinline)) int second(FILE *out, int x)
{
	static int n = 200;

	fprintf(out, "%s: %d %d\n", label, state, n);
	return step(x) + n++;
}
