/* EXPECT replaced work leaf */
/* LINK pie nopie static lib */
/* OPT -O2 -O0 */
/* FLAGS -pg -mfentry */
/* LDFLAGS -pg */
/* __fentry__ is called first of all; nothing parks in it. */
#include <stdio.h>
int seen;
__attribute__((noinline)) int work(int x, int y)
{
#ifdef NEW
	return x * y + seen * 2 + 7;
#else
	return x * y + seen + 3;
#endif
}
__attribute__((noinline)) int leaf(int x)
{
#ifdef NEW
	return (seen = x + work(x, 3)) * 5;
#else
	return (seen = x + work(x, 3));
#endif
}
void run_case(FILE *out)
{
	seen = 0;
	for (int i = 0; i < 3; i++)
		fprintf(out, "%d %d\n", work(i, 2), leaf(i));
}
