/* EXPECT refused scale: use uses this IFUNC, and old has no PLT entry for it */
/* OPT -O2 */
/* LINK pie static */
/* Nothing has called it so far: its resolver has not run. */
#include <stdio.h>
static int twice(int x) { return 2 * x; }
static int (*choose(void))(int) { return twice; }
__attribute__((ifunc("choose"))) int scale(int x);
__attribute__((noinline)) int use(int x)
{
#ifdef NEW
	return scale(x) + 1;
#else
	return twice(x);
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
