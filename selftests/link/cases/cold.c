/* EXPECT replaced risky */
/* OPT -O2 */
/* A function's unlikely part moves to a section of its own. */
#include <stdio.h>
#include <stdlib.h>
__attribute__((noinline, cold)) void complain(FILE *out, int x) { fprintf(out, "bad %d\n", x); }
__attribute__((noinline)) int risky(FILE *out, int x)
{
	if (__builtin_expect(x > 100, 0)) {
		complain(out, x);
#ifdef NEW
		complain(out, x + 1);
#endif
		if (x > 1000)
			abort();
	}
	return x * 3;
}
void run_case(FILE *out)
{
	fprintf(out, "%d %d\n", risky(out, 5), risky(out, 105));
}
