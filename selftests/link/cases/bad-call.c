/* EXPECT refused early: a call stands in its first bytes */
/* OPT -O2 */
/* LINK pie nopie lib */
/* FLAGS -fcf-protection=none */
#include <stdio.h>
int early(int n);
__attribute__((noinline, used)) int other(int n) { return n + 1; }
#ifdef NEW
int early(int n) { return n + 7; }
#else
__attribute__((naked)) int early(int n)
{
	__asm__ volatile("call *%rsi\n add $8, %rsp\n ret");
}
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", other(3)); }
