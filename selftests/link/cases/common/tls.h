/* Thread-local variables that new code reaches; for each way to reach them. */
#include <stdio.h>
static __thread int here = 5;
static __thread int other = 7, third = 9;
static __thread long unused_by_old[3]
	__attribute__((used)) = { 100, 200, 300 };
__thread long there = 2;
extern __thread int elsewhere;

__attribute__((noinline)) long bump(int x)
{
#ifdef NEW
	here += x;
	there += 2 * here + elsewhere;
	return there * 10 + here;
#else
	here += x;
	there += 2 * here;
	return there + here;
#endif
}

__attribute__((noinline)) int twice(int x)
{
#ifdef NEW
	return (other += x) + (third += 2) + unused_by_old[x];
#else
	return (other += x) + (third += 2);
#endif
}

__attribute__((noinline)) long *get(int x)
{
#ifdef NEW
	return &unused_by_old[x];
#else
	return x ? &there : 0;
#endif
}

void run_case(FILE *out)
{
	long *(*volatile find)(int) = get;

	here = 5;
	other = 7;
	third = 9;
	there = 2;
	elsewhere = 11;
	for (int i = 0; i < 3; i++)
		fprintf(out, "%ld %d %ld\n", bump(i), twice(i),
			find(i) ? *find(i) : -1L);
}
