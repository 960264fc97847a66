/* EXPECT refused not clear which variable of the running program it is */
/* LINK pie */
/* OPT -O0 -O2 -O3 clang */
/* FLAGS -g */
/* Two of one name and size in blocks of one function, which change places. */
#include <stdio.h>
#ifdef NEW
#define FIRST x < 4
#else
#define FIRST x > 3
#endif
__attribute__((noipa)) int f(int x)
{
	if (FIRST) {
		static int n;

		n += x;
		return n;
	} else {
		static int n;

		n -= x;
		return n;
	}
}
void run_case(FILE *out) { fprintf(out, "%d %d %d\n", f(3), f(4), f(5)); }
