/* EXPECT refused step: old.* has 2 functions of that name with the same code, and nothing tells which one it is */
/* OPT -O2 clang */
/* LINK pie static lib */
/* Two files of one name have equal functions, which only others reach. */
#include <stdio.h>
static __attribute__((used, noinline)) int step(int x)
{
#ifdef NEW
	return x * 3 + 77;
#else
	return x * 3 + 7;
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%d\n", 5); }
