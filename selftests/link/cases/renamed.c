/* EXPECT replaced user */
/* OPT -O0 -O2 -Os */
/* Functions that go, come and are renamed. */
#include <stdio.h>
#ifdef NEW
#define was is_now
#endif
__attribute__((noipa)) static int was(int x)
{
	for (volatile int i = 0; i < 3; i++)
		x += i;
	return x;
}
#ifndef NEW
__attribute__((noipa, used)) static int gone(int x) { return x - 40; }
#else
__attribute__((noipa)) static int came(int x) { return x + 40; }
#endif
__attribute__((noipa)) int calls(int x) { return was(x); }
__attribute__((noipa)) int user(int x)
{
#ifdef NEW
	return was(x) * came(x);
#else
	return was(x) * gone(x);
#endif
}
void run_case(FILE *out) { fprintf(out, "%d %d\n", user(6), calls(7)); }
