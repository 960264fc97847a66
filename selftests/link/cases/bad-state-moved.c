/* EXPECT refused not clear which variable of the running program it is */
/* LINK pie */
/* OPT -O2 clang */
/* A function's static variable goes to another file with what uses it. */
#include <stdio.h>
int next(int x);
__attribute__((noipa)) int f(int x)
{
#ifdef NEW
	return next(x);
#else
	static int count = 5;

	return count += x;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d %d\n", f(3), f(5)); }
