/* EXPECT replaced machine */
/* Computed goto. */
#include <stdio.h>
__attribute__((noinline)) int machine(const char *p)
{
	static const void *const ops[] = { &&add, &&sub, &&dbl, &&end };
	int acc = 1;

	goto *ops[*p++ - '0'];
add:
	acc += 3;
	goto *ops[*p++ - '0'];
sub:
	acc -= 1;
	goto *ops[*p++ - '0'];
dbl:
#ifdef NEW
	acc *= 4;
#else
	acc *= 2;
#endif
	goto *ops[*p++ - '0'];
end:
	return acc;
}
void run_case(FILE *out)
{
	fprintf(out, "%d\n", machine("0021203"));
}
