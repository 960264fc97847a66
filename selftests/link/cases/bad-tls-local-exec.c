/* EXPECT refused own: get needs its place in the thread's block, which is only fixed for the executable's own variables */
/* OPT -O2 */
/* LINK lib */
/* As it would be compiled for a program. */
#include <stdio.h>
#if defined(NEW) && defined(OBJECT)
#define OWN __attribute__((tls_model("local-exec")))
#else
#define OWN
#endif
static __thread int own OWN = 5;
__attribute__((noinline)) int set(int x) { return own += x; }
__attribute__((noinline)) int get(int x)
{
#ifdef NEW
	return own * x + 1;
#else
	return own * x;
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%d %d\n", set(3), get(4)); }
