/* EXPECT replaced work */
/* References that lean far out of what they are to. */
#include <stdio.h>
static int table[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
int outside[10] = { 10, 20, 30, 40, 50, 60, 70, 80, 90, 100 };
__attribute__((noinline)) int work(long x)
{
#ifdef NEW
	return table[x - 100000] + outside[x - 99997] * 2 + table[x - 99999];
#else
	return table[x - 100000] + outside[x - 99995];
#endif
}
void run_case(FILE *out)
{
	for (long i = 99996; i < 99999; i++)
		fprintf(out, "%d\n", work(i + 4));
}
