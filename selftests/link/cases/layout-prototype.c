/* EXPECT replaced use */
/* EXPECT-clang replaced use run_case */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -g */
/* Without a prototype the calls are the same. */
#include <stdio.h>
enum kind { SMALL, LARGE };
#ifdef NEW
struct ops { long (*price)(const char *, int, unsigned long, double, enum kind); };
#else
struct ops { long (*price)(); };
#endif
static long price(const char *text, int a, unsigned long b, double c, enum kind k)
{
	return text[0] + a + b + (long)c + k;
}
struct ops one = { price };
__attribute__((noipa)) long use(struct ops *o, int x)
{
#ifdef NEW
	return o->price("b", x, 6UL, 7.5, LARGE) * 3;
#else
	return o->price("a", x, 6UL, 7.5, SMALL) * 2;
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%ld\n", use(&one, 5)); }
