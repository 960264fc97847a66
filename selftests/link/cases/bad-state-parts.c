/* EXPECT refused not clear which variable of the running program it is */
/* LINK pie */
/* OPT clang */
/* Another member than before is written: its number tells nothing. */
#include <stdio.h>
static struct config { int a, b, c; } cfg = { 9, 9, 9 };
__attribute__((noipa)) int f(int x)
{
#ifdef NEW
	cfg.c += x;
	return cfg.a + cfg.c * 7;
#else
	cfg.a += x;
	return cfg.a + cfg.c * 5;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d %d\n", f(3), f(4)); }
