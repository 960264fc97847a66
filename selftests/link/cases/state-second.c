/* EXPECT replaced f */
/* EXPECT-clang refused not clear which variable of the running program it is */
/* LINK pie */
/* OPT -O0 -O2 -O3 clang */
/* FLAGS -g */
/* Clang does not say which of them is in a block. */
/* A block gets a variable of a name that the function has. */
#include <stdio.h>
__attribute__((noipa, noinline)) int f(int x)
{
	static int n = 100;

	n += 2;
#ifdef NEW
	if (x > 3) {
		static volatile int n = 7;

		return n;
	}
#endif
	return x + n;
}
void run_case(FILE *out) { fprintf(out, "%d %d %d\n", f(3), f(4), f(2)); }
