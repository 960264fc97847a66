/* EXPECT replaced f */
/* WARNS leave: a new destructor */
/* OPT -O2 */
/* LINK pie */
/* The list of destructors was read when the process was started. */
#include <stdio.h>
static volatile int used;
#ifdef NEW
__attribute__((destructor)) static void leave(void) { used = 0; }
#endif
__attribute__((noipa, noinline)) int f(int x)
{
#ifdef NEW
	x *= 2;
#endif
	used = 1;
	return x + used;
}
void run_case(FILE *out) { fprintf(out, "%d\n", f(3)); }
