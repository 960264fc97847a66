/* EXPECT refused table: the size of a live variable changes */
/* OPT -O2 */
#include <stdio.h>
#ifdef NEW
static int table[20];
#else
static int table[10];
#endif
__attribute__((noinline)) int sum(int n) { return ++table[n]; }
void run_case(FILE *out) { fprintf(out, "%d\n", sum(3)); }
