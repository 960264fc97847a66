/* EXPECT refused g was one function with f, and is another one now */
/* OPT -O2 clang */
/* LINK pie */
/* One function becomes two: who calls it by one name would get the other. */
#include <stdio.h>
#ifdef NEW
__attribute__((noipa, noinline)) int f(int x) { return x * 5; }
__attribute__((noipa, noinline)) __attribute__((weak)) int g(int x) { return x * 3; }
#else
__attribute__((noipa, noinline)) int f(int x) { return x * 3; }
__attribute__((weak, alias("f"))) int g(int x);
#endif
void run_case(FILE *out)
{
	int (*volatile call)(int x) = g;

	fprintf(out, "%d %d\n", f(3), call(3));
}
