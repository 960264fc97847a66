/* EXPECT refused kept: get uses this thread-local variable, and old.so has no cell that holds its place; let a function that uses it already hand it out */
/* LINK lib */
/* OPT -O2 */
/* FLAGS -mtls-dialect=gnu2 */
/* Only the dynamic linker knows how to make another descriptor. */
#include <stdio.h>
static __thread int here = 5;
static __thread int kept __attribute__((used)) = 6;

__attribute__((noinline)) int *get(void)
{
#ifdef NEW
	return &kept;
#else
	return &here;
#endif
}

void run_case(FILE *out) { fprintf(out, "%d\n", *get()); }
