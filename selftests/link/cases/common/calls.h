/* Functions that call each other, and libc; for each way to begin, or be bound. */
#include <stdio.h>
#include <stdlib.h>
int seen;
__attribute__((noinline)) int work(int x, int y)
{
#ifdef NEW
	return x * y + seen * 2 + 7;
#else
	return x * y + seen + 3;
#endif
}
__attribute__((noinline)) int leaf(const char *x)
{
#ifdef NEW
	return (seen = atoi(x) + work(atoi(x), 3)) * 5;
#else
	return (seen = atoi(x) + work(atoi(x), 3));
#endif
}
void run_case(FILE *out)
{
	char digit[2] = "0";

	seen = 0;
	for (int i = 0; i < 3; i++, digit[0]++)
		fprintf(out, "%d %d\n", work(i, 2), leaf(digit));
}
