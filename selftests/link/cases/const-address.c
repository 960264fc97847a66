/* EXPECT replaced f g */
/* WARNS greeting: a constant changes whose address is taken */
/* OPT -O2 */
/* LINK pie nopie */
/* Who has stored its address has that of the old one. */
#include <stdio.h>
#ifdef NEW
static const char greeting[] = "howdy";
#else
static const char greeting[] = "hello";
#endif
__attribute__((noipa, noinline)) const char *f(void) { return greeting; }
__attribute__((noipa, noinline)) int g(int x) { return greeting[x & 3]; }
void run_case(FILE *out) { fprintf(out, "%s %d\n", f(), g(2)); }
