/* EXPECT replaced fact */
/* OPT -O0 -O2 */
#include <stdio.h>
__attribute__((noinline)) static long fact(int n)
{
#ifdef NEW
	return n < 2 ? 1 : n * fact(n - 1);
#else
	return n < 2 ? 1 : n + fact(n - 1) * 3;
#endif
}
void run_case(FILE *out)
{
	fprintf(out, "%ld\n", fact(5 + (int)(out == NULL)));
}
