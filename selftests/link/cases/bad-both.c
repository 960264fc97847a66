/* EXPECT refused lib_size: the size of a live variable changes */
/* OPT -O2 */
/* LINK both */
/* What is wrong with one object refuses the whole. */
#include <stdio.h>
int lib_get(void);
__attribute__((noinline)) int get(void)
{
#ifdef NEW
	return lib_get() + 2;
#else
	return lib_get() + 1;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", get()); }
