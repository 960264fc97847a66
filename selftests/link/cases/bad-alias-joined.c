/* EXPECT refused g is one function with f now */
/* OPT -O2 clang */
/* LINK pie */
/* Two functions become one: who calls the second would call the old one. */
#include <stdio.h>
#ifdef NEW
__attribute__((noipa, noinline)) int f(int x) { return x * 5; }
int g(int x) __attribute__((alias("f")));
#else
__attribute__((noipa, noinline)) int f(int x) { return x * 2; }
__attribute__((noipa, noinline)) int g(int x) { return x * 3; }
#endif
void run_case(FILE *out)
{
	int (*volatile call)(int x) = g;

	fprintf(out, "%d %d\n", f(3), call(3));
}
