/* EXPECT refused it is not clear which variable of the running program it is */
/* OPT -O0 -O2 clang */
/* LINK pie lib */
/* FLAGS -g */
/* Two static variables of one name in one function: which one was there? */
#include <stdio.h>
__attribute__((noipa)) int f(int x)
{
#ifdef NEW
	if (x > 100) {
		static int n;

		return x * 2 + n++;
	}
#endif
	{
		static int n;

		return x + n++;
	}
}
void run_case(FILE *out) { fprintf(out, "%d\n", f(3)); }
