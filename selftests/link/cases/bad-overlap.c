/* EXPECT refused second: it overlaps first in the target */
/* OPT -O2 clang */
/* LINK pie lib */
/* In the object files each has a section of its own; in the target the one ends
 * with the other.
 */
#include <stdio.h>
int first(int x), second(int x);
#ifdef NEW
#define FACTOR "3"
#else
#define FACTOR "2"
#endif
#define HEAD "\taddl $1, %edi\n\tnopw 0x0(%rax,%rax,1)\n"
#define TAIL "\timull $" FACTOR ", %edi, %eax\n\tnopw 0x0(%rax,%rax,1)\n\tret\n"
__asm__(".section .text.first, \"ax\"\n"
	".globl first, second\n.type first, @function\n.type second, @function\n"
	"first:\n" HEAD
#ifdef OBJECT
	TAIL ".size first, .-first\n"
	".section .text.second, \"ax\"\n"
	"second:\n" TAIL ".size second, .-second\n"
#else
	"second:\n" TAIL ".size first, .-first\n.size second, .-second\n"
#endif
	".text");
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%d %d\n", first(4), second(4)); }
