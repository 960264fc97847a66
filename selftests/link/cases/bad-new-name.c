/* EXPECT refused helper: it is new in new.o, but */
/* OPT -O2 */
/* LINK pie nopie */
/* In the target another file has a function of that name. */
#include <stdio.h>
#if !defined(OBJECT) || defined(NEW)
__attribute__((noipa)) int helper(int x) { return x * 7; }
#else
int helper(int x);
#endif
__attribute__((noinline)) int use(int x)
{
#ifdef NEW
	return helper(x) + 1;
#else
	return helper(x);
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
