/* EXPECT built other */
/* WARNS main: left as it is: it is entered once, when a process starts, and what changed in it will not run */
/* LINK main */
#include <stdio.h>
__attribute__((noipa)) int other(int x)
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
#ifdef NEW
	puts("new");
#else
	puts("old");
#endif
	return other(argc) + 1;
}
