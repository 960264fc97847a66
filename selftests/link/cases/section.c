/* EXPECT replaced rate total */
/* OPT -O0 -O2 -Os clang */
/* Functions that share a section, and branch by way of relocations. */
#include <stdio.h>
#define SHOP __attribute__((section(".text.shop"), noinline))
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
SHOP int after(int x) { return x - 11; }
SHOP int total(int x)
{
	x = (x ^ 0x4321) * 7;
#ifdef NEW
	return rate(x) + after(x) + before(x + 1);
#else
	return rate(x) - after(x);
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%d\n", total(50)); }
