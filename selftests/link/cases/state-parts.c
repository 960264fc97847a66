/* EXPECT replaced f */
/* LINK pie */
/* OPT clang */
/* FLAGS -g */
/* Clang makes variables of the members: DWARF says which is which. */
#include <stdio.h>
static struct config { int a, b, c; } cfg = { 1, 2, 3 };
__attribute__((noipa, noinline)) int f(int x)
{
#ifdef NEW
	x *= 2;
#endif
	cfg.c += 3;
	cfg.a -= 2;
	return cfg.a * 7 + cfg.c + x;
}
__attribute__((noipa, noinline)) int g(int x)
{
	cfg.a ^= cfg.c;
	return cfg.a + x;
}
void run_case(FILE *out)
{
	fprintf(out, "%d %d", f(3), g(4));
	fprintf(out, " %d %d\n", f(5), g(6));
}
