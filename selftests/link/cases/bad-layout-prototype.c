/* EXPECT refused struct ops: member price changes from long int (.)() to long int (.)(int, char) */
/* EXPECT-clang refused struct ops: member price changes from long (.)() to long (.)(int, char) */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -g */
/* A char is passed in another way where there is no prototype. */
#include <stdio.h>
#ifdef NEW
struct ops { long (*price)(int, char); };
#else
struct ops { long (*price)(); };
#endif
struct ops one;
__attribute__((noipa)) long use(struct ops *o, int x)
{
#ifdef NEW
	return o->price ? o->price(x, 'b') : 3;
#else
	return o->price ? o->price(x, 'a') : 2;
#endif
}
__attribute__((noipa)) void run_case(FILE *out) { fprintf(out, "%ld\n", use(&one, 5)); }
