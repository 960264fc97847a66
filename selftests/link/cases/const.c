/* EXPECT replaced first second */
/* A changed constant goes with every function that uses it. */
#include <stdio.h>
#ifdef NEW
static const int weights[] = { 1, 2, 4, 8, 16 };
#else
static const int weights[] = { 1, 2, 3, 4, 5 };
#endif
static const double scale[] = { 0.5, 1.5, 2.5, 3.5 };
__attribute__((noinline)) int first(int x) { return weights[x % 5]; }
__attribute__((noinline)) double second(int x) { return weights[x % 5] * scale[x % 4] * 3.25; }
__attribute__((noinline)) double third(int x) { return scale[x % 4] * 7.125; }

void run_case(FILE *out)
{
	for (int i = 0; i < 5; i++)
		fprintf(out, "%d %g %g\n", first(i), second(i), third(i));
}
