/* EXPECT refused price: the old object file is not what old.* was built from: the code refers to something else */
/* OPT -O2 -O0 clang */
/* LINK pie lib static */
/* The same bytes, but for the variable that they refer to. */
#include <stdio.h>
int one = 1, two = 2;
#ifdef OBJECT
#define WHICH one
#else
#define WHICH two
#endif
__attribute__((noinline)) int price(int x)
{
#ifdef NEW
	return x * 10 + WHICH;
#else
	return x * 9 + WHICH;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", price(5)); }
