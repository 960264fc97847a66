/* EXPECT refused struct step in use: member n moved from offset 0 to 4 */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -g */
#include <stdio.h>
#ifdef NEW
#define STEP struct step { int m, n; }
#else
#define STEP struct step { int n, m; }
#endif

__attribute__((noinline)) int use(int x)
{
#ifdef NEW
	return (({ STEP; static struct step *kept; struct step s = { x, x }; if (x > 100) kept = &s; kept ? kept->n : s.n; })) * 3;
#else
	return (({ STEP; static struct step *kept; struct step s = { x, x }; if (x > 100) kept = &s; kept ? kept->n : s.n; })) * 2;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
