/* EXPECT refused price: the old object file is not what old.* was built from: the code differs */
/* WARNS  > .*\$9.*\$8 */
/* LINK pie lib static */
/* EXPECT-clang refused price: the old object file is not what */
#include <stdio.h>
#ifdef OBJECT
#define ADD 9
#else
#define ADD 8
#endif
__attribute__((noinline)) int price(int x)
{
	volatile int add = ADD;
#ifdef NEW
	return x * 10 + add;
#else
	return x * 9 + add;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", price(5)); }
