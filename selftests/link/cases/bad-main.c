/* EXPECT refused main: it changes, too, but is entered only once */
/* OPT -O2 */
/* LINK main */
/* The old main would call a static function whose contract is another one. */
#include <stdio.h>
int state;
__attribute__((noinline)) static int step(int x)
{
#ifdef NEW
	state += x;
#endif
	return x + state;
}
__attribute__((noinline)) int other(int x)
{
	for (volatile int i = 0; i < x; i++)
		;
#ifdef NEW
	return x * 3;
#else
	return x * 2;
#endif
}
int main(int argc, char **argv)
{
	printf("%d %d\n", step(argc) + step(argc + 1), other(argc));
#ifdef NEW
	return state;
#else
	return 0;
#endif
}
