/* EXPECT refused variable rate: the type of a live variable changes from int to float */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -g */
#include <stdio.h>
#ifdef NEW
float rate;
#else
int rate;
#endif

__attribute__((noinline)) int use(int x)
{
#ifdef NEW
	return (x + (int)rate) * 3;
#else
	return (x + (int)rate) * 2;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
