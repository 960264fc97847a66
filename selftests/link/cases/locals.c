/* EXPECT replaced count */
/* Static locals of one name: their numbers shift, their values stay. */
#include <stdio.h>

__attribute__((noinline)) int before(void) { static int n = 100; return n++; }
#ifdef NEW
#define EXTRA static int n0 = 40; extra += n0++;
#else
#define EXTRA
#endif

__attribute__((noinline)) int count(void)
{
	int extra = 0;
	static int n = 200;

	{
#ifdef NEW
		static int added = 7;
		extra = added;
#endif
	}
	return n++ + extra;
}

__attribute__((noinline)) int after(void) { static int n = 300; return n++; }

void run_case(FILE *out)
{
	for (int i = 0; i < 3; i++)
		fprintf(out, "%d %d %d\n", before(), count(), after());
}
