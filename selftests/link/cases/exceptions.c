/* EXPECT replaced f */
/* WARNS compiled with -fexceptions: an exception that passes new code ends the process */
/* OPT -O2 */
/* LINK pie */
/* FLAGS -g -fexceptions */
/* It has nothing to clean up, but who calls it may have. */
#include <stdio.h>
#include <unistd.h>
__attribute__((noipa)) int f(int x)
{
#ifdef NEW
	x *= 3;
#endif
	usleep(1);
	return x;
}
void run_case(FILE *out) { fprintf(out, "%d\n", f(3)); }
