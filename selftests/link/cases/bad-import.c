/* EXPECT refused getppid: get uses it, but */
/* OPT -O2 */
/* LINK static static-pie */
/* Nothing can provide what a static program does not have. */
#include <stdio.h>
#include <unistd.h>
#ifdef NEW
__attribute__((noinline)) int get(void) { return getppid() > 0; }
#else
__attribute__((noinline)) int get(void) { return 7; }
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", get()); }
