/* EXPECT replaced price */
/* WARNS only line numbers differ in */
/* FLAGS -g */
/*
 * A line is added, and functions further down hand their line to a logger.
 * They are not replaced; one that also changes is, as a whole.
 */
#include <assert.h>
#include <stdio.h>
#define LOG(out, x) log_at(out, x, __LINE__)
__attribute__((noinline)) void log_at(FILE *out, int x, int line)
{
	/* The old line is all right: it is not what a caller can rely on. */
	if (x > 1000)
		fprintf(out, "%d at %d\n", x, line);
}
#ifdef NEW
#line 40	/* as if lines had been added */
#endif
__attribute__((noinline)) int logs(FILE *out, int x)
{
	LOG(out, x);
	if (x == 5)
		LOG(out, x * 2);
	return x + 1;
}
__attribute__((noinline)) int asserts(FILE *out, int x)
{
	assert(x < 1000);
	return x + 2;
}
__attribute__((noinline)) int price(FILE *out, int x)
{
	LOG(out, x);
	assert(x < 1000);
#ifdef NEW
	return x * 10;
#else
	return x * 9;
#endif
}
void run_case(FILE *out)
{
	for (int i = 0; i < 7; i++)
		fprintf(out, "%d %d %d\n", logs(out, i), asserts(out, i),
			price(out, i));
}
