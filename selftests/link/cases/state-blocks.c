/* EXPECT replaced g */
/* LINK pie */
/* OPT -O0 -O2 -O3 clang */
/* Two of one name in blocks of one function, which does not change. */
#include <assert.h>
#include <stdio.h>
__attribute__((noipa, noinline)) int f(int x)
{
	if (x > 3) {
		static int n;

		return x + n++;
	} else {
		static int n;

		return x + n--;
	}
}
__attribute__((noipa, noinline)) int g(int x)
{
	static int n;

#ifdef NEW
	x *= 3;
#endif
	return f(x) * 10 + n++;
}
void run_case(FILE *out) { fprintf(out, "%d %d %d\n", f(3), g(4), g(5)); }
