/* EXPECT refused struct buf: member text changes from char.8. to char.16. */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -g */
#include <stdio.h>
#ifdef NEW
struct buf { char text[16]; };
#else
struct buf { char text[8]; };
#endif
struct buf *one;
__attribute__((noinline)) int use(struct buf *b)
{
#ifdef NEW
	return (b ? b->text[0] : 1) * 3;
#else
	return (b ? b->text[0] : 1) * 2;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(one)); }
