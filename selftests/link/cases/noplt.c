/* EXPECT replaced work */
/* FLAGS -fno-plt */
/* Calls and pointers through the GOT. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int visible = 3;
int helper(int x) { return x + visible; }
__attribute__((noinline)) int work(int x)
{
	size_t (*volatile length)(const char *) = strlen;
#ifdef NEW
	return helper(x) + abs(-x) + length("four") + atoi("30");
#else
	return helper(x) + length("four");
#endif
}
__attribute__((noinline)) int other(const char *s) { return atoi(s) + abs(atoi("3")); }
void run_case(FILE *out)
{
	for (int i = 0; i < 3; i++)
		fprintf(out, "%d %d\n", work(i), other("77"));
}
