/* EXPECT replaced lib_f */
/* LINK both-nopie */
/* OPT -O2 */
/* The program has a copy of the library's variable, and all use that one. */
#include <stdio.h>
extern int copied;
int lib_f(int x);
void run_case(FILE *out)
{
	copied = 1000;
	fprintf(out, "%d\n", lib_f(3));
}
