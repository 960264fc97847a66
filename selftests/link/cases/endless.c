/* EXPECT built serve */
/* WARNS serve: it never returns: as long as a thread is inside */
/* OPT -O0 -O2 */
/* LINK main */
#include <stdio.h>
#include <stdlib.h>
__attribute__((noipa)) void serve(int x)
{
	for (;;) {
#ifdef NEW
		printf("new %d\n", x);
#else
		printf("old %d\n", x);
#endif
		if (x++ == 6)
			exit(0);
	}
}
int main(int argc, char **argv)
{
	if (argc > 1) {
		puts("ready");
		fflush(stdout);
		getchar();
	}
	serve(4);
	return 0;
}
