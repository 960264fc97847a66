/* EXPECT replaced work get */
/* LINK nopie */
/* At a fixed address: calls, and addresses in data, but not in code. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef NEW
static int (*const calls[])(int) = { toupper, tolower, abs };
#endif
__attribute__((noinline)) int get(int i, int x)
{
#ifdef NEW
	return calls[i](x);
#else
	return i * x + abs(x) + i;
#endif
}
__attribute__((noinline)) int work(const char *s)
{
#ifdef NEW
	return strchr(s, 'b') - s + (getppid() > 0) + strtol("40", NULL, 8);
#else
	return s[0] + s[1] * s[2] + strlen(s);
#endif
}
void run_case(FILE *out) { fprintf(out, "%d %d %d\n", work("aabc"), get(0, 'a'), get(2, -4)); }
