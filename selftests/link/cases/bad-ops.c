/* EXPECT refused ops: a constant that changes is pointed to by the live variable current */
/* OPT -O2 clang */
/* The running process may hold the old table's address anywhere. */
#include <stdio.h>
__attribute__((noipa)) static int first(int x) { return x + 1; }
__attribute__((noipa)) static int second(int x) { return x * 2; }
static const struct ops { int (*call)(int); } ops = {
#ifdef NEW
	second
#else
	first
#endif
};
const struct ops *current = &ops;
void run_case(FILE *out) { fprintf(out, "%d %d\n", current->call(3), first(2) + second(3)); }
