/* EXPECT refused price: it changes from int (int) to int (int, char), and elsewhere, which calls it, is in none of the object files given */
/* OPT -O0 -O2 */
/* LINK pie nopie static */
/* FLAGS -g */
/* The program has one more caller, in an object that is not given. */
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
#ifndef OBJECT
__attribute__((noipa)) int elsewhere(int x) { return ((int (*)(int, char))price)(x, 1) + 3; }
#else
int elsewhere(int x);
#endif
__attribute__((noipa)) int total(int x)
{
#ifdef NEW
	return price(x, 7) + elsewhere(x + 1);
#else
	return price(x) + elsewhere(x + 1);
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", total(5)); }
