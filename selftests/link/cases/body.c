/* EXPECT replaced price */
/* A change in one function; statics and globals keep their values. */
#include <stdio.h>

static int calls = 3;
int total;

__attribute__((noinline)) static int tax(int x)
{
	return x / 5;
}

__attribute__((noinline)) int price(int x)
{
	static int count;

	calls++;
	total += x;
#ifdef NEW
	return x + tax(x) + 1000 * ++count + calls + total;
#else
	return x - tax(x) + 1000 * ++count + calls + total;
#endif
}

void run_case(FILE *out)
{
	for (int i = 0; i < 4; i++)
		fprintf(out, "%d\n", price(i * 7));
}
