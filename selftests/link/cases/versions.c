/* EXPECT replaced scale scale twice */
/* OPT -O2 clang */
/* LINK lib */
/* A library that has two versions of a function. */
#include <stdio.h>
#define by(old, new) new
#ifndef NEW
#undef by
#define by(old, new) old
#endif
__attribute__((noipa, noinline, used)) int scale_1(int x) { return x * by(2, 5) + 1; }
__attribute__((noipa, noinline, used)) int scale_2(int x) { return x * by(3, 7) + 2; }
__asm__(".symver scale_1, scale@V1, remove");
__asm__(".symver scale_2, scale@@V2, remove");
__attribute__((noipa, noinline)) int twice(int x) { return scale_2(x) * by(2, 4); }
void run_case(FILE *out) { fprintf(out, "%d %d %d\n", scale_1(3), scale_2(3), twice(3)); }
