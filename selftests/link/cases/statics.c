/* EXPECT replaced f g */
/* EXPECT-clang replaced f g run_case */
/* OPT -O0 -O2 clang */
/* FLAGS -g */
/* One more static variable of a name: the numbers of the others shift. */
#include <stdio.h>
#ifdef NEW
__attribute__((noipa)) int before(int x) { static volatile int n = 1000; return x + n; }
#endif
__attribute__((noipa)) int f(int x)
{
	static int n = 10;

#ifdef NEW
	return x + 2 * n++ + before(x);
#else
	return x + n++;
#endif
}
__attribute__((noipa)) int g(int x)
{
	static int n = 10;

#ifdef NEW
	return x * 2 - n--;
#else
	return x * 3 - n--;
#endif
}
__attribute__((noipa)) int h(int x) { static int n = 10; return x * n++; }
void run_case(FILE *out) { fprintf(out, "%d %d %d\n", f(3), g(4), h(5)); }
