/* EXPECT replaced real sum shuffle */
/* EXPECT-clang replaced real sum shuffle run_case */
/* OPT -O0 -O2 -O3 clang */
/* FLAGS -ffast-math */
/* Constants of 4 to 32 bytes, of vectors too, and tables that are generated. */
#include <stdio.h>
__attribute__((noipa)) double real(double x, float y)
{
#ifdef NEW
	return x * 2.25 + y * 3.5f - 1.0e10;
#else
	return x * 1.25 + y * 7.5f - 1.0e9;
#endif
}
__attribute__((noipa)) void sum(int *to, const int *from)
{
	for (int i = 0; i < 64; i++)
#ifdef NEW
		to[i] = from[i] * 5 + (i ^ 3);
#else
		to[i] = from[i] * 3 + (i ^ 5);
#endif
}
typedef unsigned char v16 __attribute__((vector_size(16)));
__attribute__((noipa)) void shuffle(v16 *v)
{
#ifdef NEW
	*v ^= (v16){ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
#else
	*v ^= (v16){ 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 };
#endif
}
void run_case(FILE *out)
{
	int from[64], to[64];
	v16 v = { 0 };

	for (int i = 0; i < 64; i++)
		from[i] = i * i;
	sum(to, from);
	shuffle(&v);
	fprintf(out, "%d %d %d %d %d\n", (int)(real(3, 4) / 100), to[0],
		to[37], v[0], v[7]);
}
