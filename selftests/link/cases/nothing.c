/* EXPECT nothing */
/* Only a comment and an unused declaration. */
#include <stdio.h>
#ifdef NEW
int unused(int x);
#endif
void run_case(FILE *out) { fprintf(out, "same\n"); }
