/* EXPECT refused strcmp: get reaches for it directly */
/* LINK nopie */
/* OPT -O2 clang */
/* An import's address in the code of a program at a fixed address. */
#include <stdio.h>
#include <string.h>
__attribute__((noinline)) int get(const char *s)
{
#ifdef NEW
	int (*volatile same)(const char *, const char *) = strcmp;

	return same(s, "a");
#else
	return s[0] + s[1] * s[2];
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", get("aabc")); }
