/* EXPECT refused limit: it changes its kind (constant, writable or thread-local variable, function) */
/* OPT -O2 */
/* Others write the variable; the new code would have a constant of its own. */
#include <stdio.h>
#ifdef NEW
const int limit[] = { 5, 6, 7 };
#else
int limit[] = { 5, 6, 7 };
#endif
__attribute__((noinline)) int get(int x)
{
#ifdef NEW
	return limit[x % 3] + 1;
#else
	return limit[x % 3];
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", get(1)); }
