/* EXPECT refused price: it changes from int (int) to int (int, char), and old.so exports it */
/* OPT -O2 clang */
/* LINK lib */
/* FLAGS -g */
/* Hidden, but for another name. */
#include <stdio.h>
__attribute__((visibility("hidden"), noinline))
#ifdef NEW
int price(int x, char more) { return x * 10 + more; }
#else
int price(int x) { return x * 9 + 1000; }
#endif
extern __typeof__(price) shop_price __attribute__((alias("price"), visibility("default")));
__attribute__((noinline)) int total(int x)
{
#ifdef NEW
	return price(x, 7);
#else
	return price(x);
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", total(5)); }
