/* EXPECT replaced get */
/* LINK both both-nopie */
/* A library's thread-local variable that the program imports. */
#include <stdio.h>
extern __thread int lib_state;
int lib_get(void);

__attribute__((noinline)) int get(int x)
{
#ifdef NEW
	return lib_state * 3 + x;
#else
	return lib_state + x;
#endif
}

void run_case(FILE *out)
{
	for (int i = 0; i < 3; i++)
		fprintf(out, "%d %d\n", get(i), lib_get());
}
