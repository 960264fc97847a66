/* EXPECT replaced step first */
/* Another file has static functions and variables of the same names. */
#include <stdio.h>

static int state = 10;
static const char *const label = "first";

__attribute__((noinline)) static int step(int x)
{
	static int n = 1;

	state += x;
#ifdef NEW
	return state * 2 + n++;
#else
	return state * 3 + n++;
#endif
}

__attribute__((noinline)) int first(FILE *out, int x)
{
	static int n = 100;

#ifdef NEW
	fprintf(out, "%s: %d %d!\n", label, state, n);
#else
	fprintf(out, "%s: %d %d\n", label, state, n);
#endif
	return step(x) + n++;
}

int second(FILE *out, int x);

void run_case(FILE *out)
{
	for (int i = 0; i < 3; i++)
		fprintf(out, "%d %d\n", first(out, i), second(out, i));
}
