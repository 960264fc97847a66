/* EXPECT replaced price total */
/* EXPECT-clang replaced price total run_case */
/* WARNS price: it changes from int (int) to int (int, char) */
/* OPT -O0 -O2 clang */
/* LINK pie nopie static */
/* FLAGS -g */
#include <stdio.h>
#ifdef NEW
__attribute__((noipa)) int price(int x, char more)
{
	return x * 10 + more;
}
#else
__attribute__((noipa)) int price(int x)
{
	return x * 9 + 1000;
}
#endif
__attribute__((noipa)) int total(int x)
{
#ifdef NEW
	return price(x, 7) + price(x + 1, 8);
#else
	return price(x) + price(x + 1);
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", total(5)); }
