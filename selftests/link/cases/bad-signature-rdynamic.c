/* EXPECT refused price: it changes from int (int) to int (int, char), and old exports it */
/* OPT -O0 -O2 */
/* LINK pie nopie */
/* FLAGS -g */
/* LDFLAGS -rdynamic */
/* What the program loads may call it. */
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
__attribute__((noipa)) int elsewhere(int x) { return ((int (*)(int, char))price)(x, 1) + 3; }
__attribute__((noipa)) int total(int x)
{
#ifdef NEW
	return price(x, 7) + elsewhere(x + 1);
#else
	return price(x) + elsewhere(x + 1);
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", total(5)); }
