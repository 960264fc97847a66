/* EXPECT refused text: the old object file is not what old.* was built from: the code refers to something else */
/* OPT -O2 -O0 clang */
/* LINK pie lib static */
/* The same bytes, but for the text that they refer to. */
#include <stdio.h>
#define one "first"
#define two "other"
#ifdef OBJECT
#define WHICH one
#else
#define WHICH two
#endif
__attribute__((noinline)) const char *text(int x)
{
#ifdef NEW
	return x > 5 ? "new one" : WHICH;
#else
	return x > 4 ? "old one" : WHICH;
#endif
}
void run_case(FILE *out) { fprintf(out, "%s %s\n", text(6), text(1)); }
