/* EXPECT refused not clear which variable of the running program it is */
/* OPT -O0 -O2 */
/* A static variable goes from one function, another of that name comes. */
#include <stdio.h>
__attribute__((noipa)) int f(int x)
{
#ifdef NEW
	return x + 1;
#else
	static int n;

	return x + n++;
#endif
}
__attribute__((noipa)) int g(int x)
{
#ifdef NEW
	static int n;

	return x * 2 + n++;
#else
	return x * 3;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d %d\n", f(3), g(4)); }
