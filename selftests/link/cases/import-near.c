/* EXPECT refused environ: get reaches for it directly */
/* OPT -O2 */
/* LINK pie nopie */
/* A variable of a library, which the program would have had a copy of. */
#include <stdio.h>
#include <unistd.h>
extern char **environ;
#ifdef NEW
__attribute__((noinline)) void get(int x) { environ += x; }
#else
__attribute__((noinline)) void get(int x) { }
#endif
void run_case(FILE *out) { get(0); fprintf(out, "%d\n", 1); }
