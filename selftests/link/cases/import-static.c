/* EXPECT replaced work */
/* LINK pie lib */
/* OPT -O0 -O2 -Os clang */
/*
 * Another file has static functions that are called like a library's: like one
 * that is imported already, and like one that is new.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

int others(int x);

__attribute__((noinline)) int work(int x)
{
#ifdef NEW
	return toupper(x) + (int)labs(-x) + 1;
#else
	return toupper(x) + 1;
#endif
}

void run_case(FILE *out)
{
	fprintf(out, "%d %d\n", work('a'), others('a'));
}
