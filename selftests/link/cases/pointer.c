/* EXPECT replaced apply compare */
/* Function pointers stay equal, whoever takes them. */
#include <stdio.h>

int step(int x);
int chosen_count;
__attribute__((noinline)) int step(int x) { return x + 1; }
__attribute__((noinline)) int compare(int x);
static int (*const list[])(int) = { step, compare };
int (*volatile chosen)(int) = compare;

__attribute__((noinline)) int compare(int x)
{
#ifdef NEW
	return x * 20 + chosen_count * x;
#else
	return x * 10 + chosen_count * x;
#endif
}

__attribute__((noinline)) int apply(FILE *out, int (*f)(int), int x)
{
#ifdef NEW
	fprintf(out, "%d %d %d\n", f == compare, f == chosen, list[1] == f);
	return f(x) + list[x & 1](x) + step(x);
#else
	fprintf(out, "old\n");
	return f(x);
#endif
}

void run_case(FILE *out)
{
	fprintf(out, "%d\n", apply(out, chosen, 3));
	fprintf(out, "%d\n", apply(out, step, 4));
	fprintf(out, "%d\n", apply(out, list[1], 5));
}
