/* EXPECT refused prepare: nothing changes but what runs only when a process starts */
/* OPT -O0 -O2 -Os */
#include <stdio.h>
static int limit;
__attribute__((constructor)) static void prepare(void)
{
#ifdef NEW
	limit = 20;
#else
	limit = 10;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", limit); }
