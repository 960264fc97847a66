/* EXPECT refused weights: a global constant changes, and */
/* OPT -O2 clang */
/* Other files may use it: nothing in these objects tells. */
#include <stdio.h>
#ifdef NEW
const int weights[] = { 1, 2, 4, 8, 16 };
#else
const int weights[] = { 1, 2, 3, 4, 5 };
#endif
__attribute__((noinline)) int pick(int x) { return weights[x % 5]; }
void run_case(FILE *out) { fprintf(out, "%d\n", pick(3)); }
