/* EXPECT refused spin: a branch in it leads into its first bytes */
/* OPT -O2 */
/* LINK pie nopie lib */
#include <stdio.h>
int spin(int n);
#ifdef NEW
int spin(int n) { return n + 7; }
#else
__attribute__((naked)) int spin(int n)
{
	__asm__ volatile("xor %eax, %eax\n1: inc %eax\n dec %edi\n jnz 1b\n ret");
}
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", spin(3)); }
