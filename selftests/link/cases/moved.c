/* EXPECT replaced helper step run_case */
/* OPT -O0 -O2 clang */
/* FLAGS -g */
/* A function and a variable move to another file. */
#include <stdio.h>
int step(int x);
extern int state;
#ifndef NEW
int state = 5;
__attribute__((noipa)) int helper(int x) { return x * 2 + state++; }
#else
int helper(int x);
#endif
void run_case(FILE *out)
{
	for (int i = 0; i < 3; i++)
		fprintf(out, "%d\n", step(i));
	state = 5;
}
