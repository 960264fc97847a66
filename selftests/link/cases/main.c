/* EXPECT built other */
/* WARNS main: left as it is: it is entered once, when a process starts, and what changed in it will not run */
/* LINK main */
/* It calls through a pointer: it was compiled without knowing whom. */
#include <stdio.h>
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
volatile int four = 4;
int (*volatile call)(int x) = other;
int main(int argc, char **argv)
{
	if (argc > 1) {
		puts("ready");
		fflush(stdout);
		getchar();
	}
#ifdef NEW
	return printf("%d\n", call(four)) < 0;
#else
	printf("%d\n", call(four));
	return 0;
#endif
}
