/* EXPECT replaced amount total */
/* FLAGS -g */
/* A number that changes as the lines do not is no line. */
#include <stdio.h>
__attribute__((noinline)) int take(int x, int n) { return x + n; }
#ifdef NEW
#line 10	/* as if lines had been added */
#endif
__attribute__((noinline)) int amount(int x)
{
#ifdef NEW
	return take(x, 13) * 2;
#else
	return take(x, 12) * 2;
#endif
}
/* Moved as the lines did, but far from them. */
__attribute__((noinline)) int total(int x)
{
#ifdef NEW
	return take(x, 502) * 3;
#else
	return take(x, 500) * 3;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d %d\n", amount(5), total(6)); }
