/* EXPECT refused work: a relocation leans over its end */
/* OPT -O2 clang */
/* LINK pie */
/* What was given is no function as compilers make them. */
#include <stdio.h>
int work(int x);
int seen = 2;
#ifdef NEW
#define FACTOR "3"
#else
#define FACTOR "2"
#endif
__asm__(".section .text.work, \"ax\"\n"
	".globl work\n.type work, @function\n"
	"work:\n\timull $" FACTOR ", %edi, %eax\n"
	"\tnopw 0x0(%rax,%rax,1)\n\tret\n"
	".size work, .-work\n"
#if defined(NEW) && defined(OBJECT)
	".reloc work + 8, R_X86_64_PC32, seen\n"
#endif
	".globl after\n.type after, @function\n"
	"after:\n\timull $7, %edi, %eax\n"
	"\tnopw 0x0(%rax,%rax,1)\n\tret\n"
	".size after, .-after\n.text");
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%d\n", work(4) + seen); }
