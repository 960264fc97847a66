/* EXPECT refused enum state: BUSY changes from 1 to 2 */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -g */
#include <stdio.h>
#ifdef NEW
enum state { IDLE, WAITING, BUSY };
#else
enum state { IDLE, BUSY, WAITING };
#endif
enum state now = IDLE;
__attribute__((noinline)) int use(enum state *s)
{
#ifdef NEW
	return (*s == BUSY) * 3;
#else
	return (*s == BUSY) * 2;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(&now)); }
