/* EXPECT refused missing: old.* has no such function: is it built from this source */
/* OPT -O2 */
/* The target was built from something else: it lacks a function. */
#include <stdio.h>
#ifdef OBJECT
__attribute__((noinline)) int missing(int x)
{
#ifdef NEW
	return x * 5 + 1;
#else
	return x * 5;
#endif
}
int (*const table[])(int) = { missing };
#endif
__attribute__((noinline)) int use(int x) { return x + 1; }
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
