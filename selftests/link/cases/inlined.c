/* EXPECT replaced first second */
/* WARNS fee: old.* has no such function, and no code that calls it: nothing to replace */
/* OPT -O2 */
/* FLAGS -ffunction-sections -Wl,--gc-sections */
/* LINK pie nopie static */
/* A function that was inlined in all callers, and dropped by the linker. */
#include <stdio.h>
__attribute__((visibility("hidden"))) int fee(int x)
{
#ifdef NEW
	return x / 7 + 3;
#else
	return x / 5 + 2;
#endif
}
__attribute__((noinline)) int first(int x) { return fee(x) * 2; }
__attribute__((noinline)) int second(int x) { return fee(x + 1) + fee(x); }
void run_case(FILE *out) { fprintf(out, "%d %d\n", first(90), second(70)); }
