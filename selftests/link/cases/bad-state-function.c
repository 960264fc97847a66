/* EXPECT refused not clear which variable of the running program it is */
/* LINK pie */
/* OPT -O2 clang */
/* A variable of the file becomes static in its function. */
#include <stdio.h>
#ifndef NEW
static int count = 5;
#endif
__attribute__((noipa)) int f(int x)
{
#ifdef NEW
	static int count = 5;

	count += x;
#endif
	count += x;
	return count;
}
void run_case(FILE *out) { fprintf(out, "%d %d\n", f(3), f(5)); }
