/* EXPECT refused fresh: a new thread-local variable */
/* OPT -O2 */
/* LINK pie nopie */
#include <stdio.h>
#ifdef NEW
static __thread int fresh = 3;
__attribute__((noinline)) int get(void) { return ++fresh; }
#else
__attribute__((noinline)) int get(void) { return 1; }
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", get()); }
