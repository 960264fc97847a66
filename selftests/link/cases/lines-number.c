/* EXPECT replaced room */
/* OPT -O0 -O2 -Os clang */
/* FLAGS -g */
/* A number grows by one, as its line does, and stands near it: it is no line. */
#include <stdio.h>
__attribute__((noinline)) int twice(int x) { return x * 2; }
#ifdef NEW
#define ROOM 65
#line 51
#else
#define ROOM 64
#line 50
#endif
__attribute__((noinline)) int room(int x) { return x + twice(ROOM); }
void run_case(FILE *out) { fprintf(out, "%d\n", room(1)); }
