/* EXPECT replaced work run_case */
/* New functions, new data, new bss, pointers among them. */
#include <stdio.h>

static int shared = 10;

#ifdef NEW
static int fresh_count = 5;
static int fresh_zero[100];
static const char *const names[] = { "first", "second", "third" };
struct entry { const char *name; int (*call)(int); int *where; };
__attribute__((noinline)) static int twice(int x) { return 2 * x; }
__attribute__((noinline)) int thrice(int x) { return 3 * x + fresh_count++; }
static struct entry entries[] = {
	{ "twice", twice, &shared },
	{ "thrice", thrice, &fresh_zero[3] },
};
#endif

__attribute__((noinline)) int work(FILE *out, int x)
{
#ifdef NEW
	for (int i = 0; i < 2; i++) {
		fprintf(out, "%s %s %d %d\n", names[x % 3], entries[i].name,
			entries[i].call(x), ++*entries[i].where);
	}
	return ++fresh_zero[x & 63] + (entries[0].call == twice);
#else
	fprintf(out, "nothing\n");
	return x;
#endif
}

void run_case(FILE *out)
{
#ifdef NEW
	fresh_count = 5;
	fresh_zero[3] = 0;
	for (int i = 0; i < 100; i++)
		((volatile int *)fresh_zero)[i] = 0;
	shared = 10;
#endif
	for (int i = 0; i < 4; i++)
		fprintf(out, "%d\n", work(out, i));
}
