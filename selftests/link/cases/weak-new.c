/* EXPECT replaced f */
/* OPT -O2 clang */
/* LINK pie lib */
/* A new weak function, which the target has from elsewhere: it is that one. */
#include <stdio.h>
#ifndef OBJECT
__attribute__((noipa, noinline)) int helper(int x) { return x + 100; }
#elif defined(NEW)
__attribute__((noipa, noinline)) __attribute__((weak)) int helper(int x) { return x + 1; }
#endif
int helper(int x);
__attribute__((noipa, noinline)) int f(int x)
{
#ifdef NEW
	return helper(x) * 2;
#else
	return x * 3;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", f(3)); }
