/* EXPECT nothing */
/* WARNS only line numbers differ in 1 function, left as it is */
/* Without debug information an assertion's line is one all the same. */
#include <assert.h>
#include <stdio.h>
#ifdef NEW
#line 40	/* as if lines had been added */
#endif
__attribute__((noinline)) int half(int x)
{
	assert(x % 2 == 0);
	return x / 2;
}
void run_case(FILE *out) { fprintf(out, "%d\n", half(6)); }
