/* EXPECT refused use: it has a relocation of type 14, which is not supported */
/* OPT -O2 clang */
/* LINK pie nopie */
/* An address in one byte: the assembler takes what the linker would refuse. */
#include <stdio.h>
int counter = 3;
__attribute__((noinline)) int use(int x)
{
#if defined(NEW) && defined(OBJECT)
	char low;

	__asm__("movb $counter, %0" : "=q"(low));
	return x + low;
#elif defined(NEW)
	return counter + x + 1;
#else
	return counter + x;
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
