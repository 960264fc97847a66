/* EXPECT refused not clear which variable of the running program it is */
/* LINK pie */
/* OPT -O0 -O2 clang */
/* FLAGS -g */
/* A function's static variable becomes one of the file. */
#include <stdio.h>
#ifdef NEW
static int count = 5;
#endif
__attribute__((noipa)) int f(int x)
{
#ifndef NEW
	static int count = 5;
#endif
	count += x;
	return count;
}
__attribute__((noipa)) int g(int x)
{
#ifdef NEW
	count = 0;
#endif
	return x * 3;
}
void run_case(FILE *out) { fprintf(out, "%d %d %d\n", f(3), g(4), f(5)); }
