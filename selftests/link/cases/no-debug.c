/* EXPECT replaced use */
/* WARNS the layouts of structures were not compared: no debug information in 1 object */
/* OPT -O2 */
/* LINK pie */
#include <stdio.h>
#ifdef NEW
__attribute__((noinline)) int use(int fd) { return fd * 3; }
#else
__attribute__((noinline)) int use(int fd) { return fd * 2; }
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
