/* EXPECT replaced run_case twice */
/* OPT -O2 */
/* LINK lib */
/* New code uses a function by its name: it gets the default version. */
#include <stdio.h>
#ifndef OBJECT
__asm__(".symver scale_1, scale@V1");
__asm__(".symver scale_2, scale@@V2");
__attribute__((noipa, noinline)) int scale_1(int x) { return x * 2 + 1; }
__attribute__((noipa, noinline)) int scale_2(int x) { return x * 3 + 2; }
int scale_2(int x);
#define scale scale_2
#else
int scale(int x);
#endif
__attribute__((noipa, noinline)) int twice(int x)
{
#ifdef NEW
	return scale(x) * 2;
#else
	return x * 4;
#endif
}
void run_case(FILE *out)
{
#ifdef NEW
	fprintf(out, "%d and %d\n", twice(3), twice(4));
#else
	fprintf(out, "%d\n", twice(3));
#endif
}
