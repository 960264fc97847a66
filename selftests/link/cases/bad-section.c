/* EXPECT refused rate: it shares a section with other functions */
/* OPT -O0 -O2 clang */
/* The assembler branches to what is local without a relocation. */
#include <stdio.h>
#define SHOP static __attribute__((section(".text.shop"), noinline))
SHOP int before(int x) { return x * x; }
SHOP int rate(int x)
{
	x = (x ^ 0x1234) * 77;
#ifdef NEW
	return before(x) / 3 + 1;
#else
	return before(x) / 2;
#endif
}
void run_case(FILE *out)
{
	for (int i = 40; i < 44; i++)
		fprintf(out, "%d\n", rate(i) + before(i));
}
