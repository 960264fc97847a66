/* EXPECT replaced colour */
/* Strings, a jump table and a call of an imported function. */
#include <stdio.h>
#include <string.h>
#ifdef NEW
#define V(a, b) b
#else
#define V(a, b) a
#endif

__attribute__((noinline)) const char *colour(int x)
{
	static char buf[40];

	switch (x) {
	case 0: return V("red", "crimson");
	case 1: return "green";
	case 2: return "blue";
	case 3:
		snprintf(buf, sizeof(buf), V("%d grey", "gray %d"), x);
		return buf;
	case 4: return "black";
	case 5: return strchr("a white", 'w');
#ifdef NEW
	case 6: return "pink";
	case 7: return "brown";
#endif
	default: return "none";
	}
}

void run_case(FILE *out)
{
	for (int i = 0; i < 10; i++)
		fprintf(out, "%s\n", colour(i));
}
