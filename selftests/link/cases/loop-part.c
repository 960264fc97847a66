/* EXPECT replaced spin */
/* INSPECT "loops":true */
/* OPT -O2 */
/* LINK pie nopie */
/* The same from its moved part. */
#include <stdio.h>
__attribute__((noipa)) int spin(int n);
#ifdef NEW
__attribute__((noipa)) int spin(int n) { return n * 3 + 7; }
#else
__attribute__((naked)) int spin(int n)
{
	__asm__ volatile("	mov %edi, %eax\n"
			 "	cmp $100, %edi\n"
			 "	jl spin.cold\n"
			 "	ret\n"
			 "	.section .text.unlikely.spin, \"ax\"\n"
			 "	.type spin.cold, @function\n"
			 "spin.cold:\n"
			 "	add $30, %edi\n"
			 "	jmp spin_start\n"
			 "	.size spin.cold, . - spin.cold\n"
			 "	.previous");
}
__asm__(".set spin_start, spin");
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", spin(3)); }
