/* EXPECT refused main: it changes, too, but is entered only once */
/* OPT -O2 */
/* LINK main */
/* The old main calls a global function that has not changed but calls one that has. */
#include <stdio.h>
__attribute__((noinline)) int step(int x)
{
#ifdef NEW
	if (x > 1000)
		printf("%d\n", x);
#endif
	return x * 3;
}
__attribute__((noinline)) int walk(int x) { return step(x) * step(x + 1) + 1; }
int main(int argc, char **argv)
{
	int sum = 0;

	for (int i = 0; i < argc + 3; i++)
		sum += walk(i);
#ifdef NEW
	return sum & 1;
#else
	return sum & 3;
#endif
}
