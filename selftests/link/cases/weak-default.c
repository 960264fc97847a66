/* EXPECT replaced f */
/* WARNS in its place: nothing to replace */
/* OPT -O2 clang */
/* LINK pie */
/* A weak default changes, in the place of which the target has another. */
#include <stdio.h>
__attribute__((noipa, noinline)) __attribute__((weak)) int pick(int x)
{
#ifdef NEW
	return x * 7;
#else
	return x * 5 + 1;
#endif
}
__attribute__((noipa, noinline)) int f(int x)
{
#ifdef NEW
	return pick(x) * 2;
#else
	return pick(x);
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", f(3)); }
