/* EXPECT replaced answer mix lib_step lib_pair */
/* LINK both both-nopie */
/* A program and its library are one patch. */
#include <stdio.h>

int lib_step(int x);
int lib_pair(int x);
void lib_reset(void);
extern int lib_count;
int mine = 6;

/* The library calls this one. */
__attribute__((noinline)) int answer(int x)
{
#ifdef NEW
	return lib_step(x) * 10 + ++mine;
#else
	return lib_step(x) + 1;
#endif
}

__attribute__((noinline)) static int mix(int x)
{
	static int own = 2;

#ifdef NEW
	return lib_pair(x) + lib_count++ * 7 + own++;
#else
	return lib_pair(x) + lib_count++ + own++;
#endif
}

void run_case(FILE *out)
{
	lib_reset();
	mine = 6;
	for (int i = 0; i < 3; i++)
		fprintf(out, "%d %d %d\n", answer(i), mix(i), lib_count);
}
