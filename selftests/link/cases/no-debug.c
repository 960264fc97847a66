/* EXPECT replaced use */
/* WARNS no debug information: the layouts of its structures were not compared */
/* OPT -O2 */
/* LINK pie */
#include <stdio.h>
#ifdef NEW
__attribute__((noinline)) int use(int fd) { return fd * 3; }
#else
__attribute__((noinline)) int use(int fd) { return fd * 2; }
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
