/* EXPECT refused limit: the initial value of a live variable changes */
/* OPT -O2 */
#include <stdio.h>
#ifdef NEW
int limit = 20;
#else
int limit = 10;
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", limit); }
