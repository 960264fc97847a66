/* EXPECT refused struct flags: member b moved from bit 4 to 3 */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -g -gz */
#include <stdio.h>
#ifdef NEW
struct flags { unsigned int a : 3, b : 4; };
#else
struct flags { unsigned int a : 3, : 1, b : 4; };
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
