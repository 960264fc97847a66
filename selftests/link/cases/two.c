/* EXPECT replaced user maker */
/* Two object files; a new global function of one is used by the other. */
#include <stdio.h>

int maker(int x);
int fresh(int x);
extern int fresh_count;
extern int kept;

__attribute__((noinline)) int user(int x)
{
#ifdef NEW
	return fresh(x) + ++fresh_count + kept++;
#else
	return maker(x) + 5 + kept++;
#endif
}

void run_case(FILE *out)
{
	for (int i = 0; i < 3; i++)
		fprintf(out, "%d %d\n", user(i), maker(i));
}
