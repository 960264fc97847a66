/* EXPECT refused scale: an IFUNC resolver changes; it has run already */
/* OPT -O2 */
/* The process has what the old one chose. */
#include <stdio.h>
static int twice(int x) { return 2 * x; }
static int thrice(int x) { return 3 * x; }
#ifdef NEW
static int (*choose(void))(int) { return thrice; }
#else
static int (*choose(void))(int) { return twice; }
#endif
__attribute__((ifunc("choose"))) int scale(int x);
int (*volatile other)(int) = thrice;
int (*volatile one)(int) = twice;
void run_case(FILE *out) { fprintf(out, "%d %d\n", scale(5), one(2) + other(3)); }
