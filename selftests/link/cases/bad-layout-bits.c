/* EXPECT refused struct flags: member a changes from 3 to 4 bits */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -gdwarf-4 */
#include <stdio.h>
#ifdef NEW
struct flags { unsigned int a : 4, b : 4; };
#else
struct flags { unsigned int a : 3, b : 5; };
#endif
struct flags all = { 1, 2 };
__attribute__((noinline)) int use(struct flags *f)
{
#ifdef NEW
	return (f->a + f->b) * 3;
#else
	return (f->a + f->b) * 2;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(&all)); }
