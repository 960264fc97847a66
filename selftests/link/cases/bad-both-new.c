/* EXPECT refused old.so: others use what is new in it, but no function of it changes */
/* OPT -O2 */
/* LINK both */
/* What is new has to be near something of its library that is patched. */
#include <stdio.h>
int lib_get(void);
int lib_more(int x);
__attribute__((noinline)) int get(void)
{
#ifdef NEW
	return lib_more(lib_get()) + 2;
#else
	return lib_get() + 1;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", get()); }
