/* EXPECT replaced work */
/* LINK pie lib */
/* OPT -O2 -O0 clang */
/* FLAGS -fno-plt */
/* New imports called through the GOT; a lazily bound one becomes a pointer. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((noinline)) int work(int x)
{
#ifdef NEW
	int (*volatile f)(const char *) = atoi;

	return f("12") + labs(-5) + x + (getppid() > 0);
#else
	return atoi("7") + x;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", work(1)); }
