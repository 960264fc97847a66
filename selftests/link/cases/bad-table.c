/* EXPECT refused machine: a jump table or other code leads into its first bytes */
/* OPT -O2 */
/* FLAGS -fcf-protection=none */
/* A jump table leads into the window. */
#include <stdio.h>
int machine(const char *p);
__asm__(
"	.section .text.machine,\"ax\",@progbits\n"
"	.globl machine\n"
"	.type machine,@function\n"
"machine:\n"
"	xor %eax, %eax\n"
#ifdef NEW
"	nop\n"
#endif
"1:	inc %eax\n"
"	movzbl (%rdi), %ecx\n"
"	inc %rdi\n"
"	and $1, %ecx\n"
"	lea table(%rip), %rdx\n"
"	movslq (%rdx,%rcx,4), %rcx\n"
"	add %rdx, %rcx\n"
"	jmp *%rcx\n"
"2:	ret\n"
"	.size machine, .-machine\n"
"	.section .rodata.machine,\"a\",@progbits\n"
"	.align 4\n"
"table:\n"
"	.long 2b - table\n"
"	.long 1b - table\n"
"	.text\n");
void run_case(FILE *out) { fprintf(out, "%d\n", machine("1110")); }
