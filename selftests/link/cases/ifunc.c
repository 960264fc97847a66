/* EXPECT replaced direct pointer */
/* OPT -O0 -O2 -O3 -Os */
/* Callees that a resolver chooses, called and taken the address of. */
#include <stdio.h>
static int twice(int x) { return 2 * x; }
static int thrice(int x) { return 3 * x; }
static int (*choose_scale(void))(int) { return thrice; }
static int (*choose_own(void))(int) { return twice; }
__attribute__((ifunc("choose_scale"))) int scale(int x);
__attribute__((ifunc("choose_own"))) static int own(int x);
__attribute__((noinline)) int direct(int x)
{
#ifdef NEW
	return scale(x) + own(x) * 100 + 7;
#else
	return scale(x) + own(x);
#endif
}
__attribute__((noinline)) int pointer(int x)
{
	int (*volatile f)(int) = scale;

#ifdef NEW
	return f(x) * 1000 + (f == scale);
#else
	return f(x);
#endif
}
void run_case(FILE *out) { fprintf(out, "%d %d\n", direct(5), pointer(6)); }
