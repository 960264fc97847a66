/* EXPECT replaced name code pick */
/* WARNS ops: a table of functions changes; pointers to it that the process has stored lead to the old one */
/* OPT -O0 -O2 -O3 -Os */
/* Jump tables, lookup tables that are made of a switch, __func__. */
#include <stdio.h>
__attribute__((noipa)) int code(FILE *out, int x)
{
	switch (x) {
	case 0: fprintf(out, "zero "); break;
	case 1: fprintf(out, "one "); return 7;
	case 2: fprintf(out, "two "); break;
	case 3: return x * 3;
#ifdef NEW
	case 4: fprintf(out, "four "); break;
#endif
	case 5: fprintf(out, "five "); return 8;
	case 6: fprintf(out, "six "); break;
	}
	return x;
}
__attribute__((noipa)) const char *name(int x)
{
	switch (x) {
	case 0: return "a";
	case 1: return "bb";
	case 2: return "ccc";
#ifdef NEW
	case 3: return "dddd";
#endif
	case 4: return __func__;
	case 5: return "eeeee";
	}
	return "?";
}
__attribute__((noipa)) static int first(int x) { return x + 1; }
__attribute__((noipa)) static int second(int x) { return x * 2; }
__attribute__((noipa)) static int third(int x) { return x * x; }
static const struct ops { const char *name; int (*call)(int); } ops[] = {
	[0] = { "first", first },
#ifdef NEW
	[1] = { "third", third },
#else
	[1] = { "second", second },
#endif
	[2] = { "third", third },
};
__attribute__((noipa)) int pick(FILE *out, int x)
{
	fprintf(out, "%s ", ops[x % 3].name);
	return ops[x % 3].call(x) + second(x);
}
void run_case(FILE *out)
{
	for (int i = 0; i < 8; i++)
		fprintf(out, "%d %s %d\n", code(out, i), name(i), pick(out, i));
}
