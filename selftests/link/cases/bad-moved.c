/* EXPECT refused not clear which variable of the running program it is */
/* OPT -O0 -O2 */
/* FLAGS -g */
/* A static variable moves to another file: its state would be lost. */
#include <stdio.h>
int step(int x);
#ifndef NEW
static int state;
int helper(int x) { return x * 2 + state++; }
#else
int helper(int x);
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", step(3)); }
