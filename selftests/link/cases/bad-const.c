/* EXPECT refused kinds: a constant that changes is pointed to by the live variable current */
/* OPT -O2 */
#include <stdio.h>
#ifdef NEW
static const int kinds[] = { 1, 2, 3, 5 };
#else
static const int kinds[] = { 1, 2, 3, 4 };
#endif
const int *current = kinds;
void run_case(FILE *out) { fprintf(out, "%d\n", current[3]); }
