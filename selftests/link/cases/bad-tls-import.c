/* EXPECT refused lib_state: get uses this thread-local variable */
/* LINK both */
/* OPT -O0 -O2 clang */
/* A library's thread-local variable that the program did not import. */
#include <stdio.h>
extern __thread int lib_state;
int lib_get(void);

__attribute__((noinline)) int get(void)
{
#ifdef NEW
	return lib_state + lib_get();
#else
	return lib_get();
#endif
}

void run_case(FILE *out) { fprintf(out, "%d\n", get()); }
