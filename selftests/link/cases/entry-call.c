/* EXPECT replaced early */
/* INSPECT "loops":false */
/* OPT -O2 */
/* LINK pie nopie lib */
/* FLAGS -fcf-protection=none */
/* A call that returns into the window. */
#include <stdio.h>
__attribute__((noipa)) int early(int n);
#ifdef NEW
__attribute__((noipa)) int early(int n) { return n * 3 + 7; }
#else
__attribute__((naked)) int early(int n)
{
	__asm__ volatile("	call 1f\n"
			 "	add %edi, %eax\n"
			 "	ret\n"
			 "1:	lea 1(%rdi), %eax\n"
			 "	ret");
}
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", early(3)); }
