/* EXPECT refused no function of the target is left to be replaced */
/* WARNS spare: old.* has no such function, and no code that calls it: nothing to replace */
/* OPT -O2 */
/* The linker has dropped the one that changes. */
#include <stdio.h>
#ifdef OBJECT
int spare(int x)
{
#ifdef NEW
	return x * 5 + 1;
#else
	return x * 5;
#endif
}
#endif
__attribute__((noinline)) int use(int x) { return x + 1; }
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
