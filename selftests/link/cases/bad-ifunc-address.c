/* EXPECT refused scale: use takes its address, and old.so has no cell that holds it */
/* OPT -O2 */
/* LINK lib */
/* A resolver's choice that the library has kept nowhere. */
#include <stdio.h>
static int twice(int x) { return 2 * x; }
static int (*choose(void))(int) { return twice; }
__attribute__((ifunc("choose"))) int scale(int x);
int (*volatile kept)(int) = twice;
__attribute__((noinline)) int use(int x)
{
#ifdef NEW
	kept = scale;
#endif
	return kept(x) + 1;
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
