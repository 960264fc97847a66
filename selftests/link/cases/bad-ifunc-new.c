/* EXPECT refused scale: a new IFUNC; use a plain function */
/* OPT -O2 */
#include <stdio.h>
static int twice(int x) { return 2 * x; }
#ifdef NEW
static int (*choose(void))(int) { return twice; }
__attribute__((ifunc("choose"))) int scale(int x);
#endif
__attribute__((noinline)) int use(int x)
{
#ifdef NEW
	return scale(x) + 1;
#else
	return twice(x);
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
