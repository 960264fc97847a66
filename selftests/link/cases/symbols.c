/* EXPECT replaced weak_one plain hidden_one user */
/* EXPECT-clang replaced weak_one plain hidden_one user run_case */
/* OPT -O0 -O2 -O3 clang */
/* FLAGS -fcommon -g */
/* Weak, hidden, common and alias symbols; an alias comes. */
#include <stdio.h>
int common_one;
#ifdef NEW
int an_alias(int x) __attribute__((alias("plain")));
#endif
__attribute__((weak, noipa)) int weak_one(int x)
{
#ifdef NEW
	return x + 11;
#else
	return x + 1;
#endif
}
extern int nowhere(int x) __attribute__((weak));
__attribute__((noipa)) int plain(int x)
{
#ifdef NEW
	return x * 20 + common_one++;
#else
	return x * 2 + common_one++;
#endif
}
int z_alias(int x) __attribute__((alias("plain")));
__attribute__((visibility("hidden"), noipa)) int hidden_one(int x)
{
#ifdef NEW
	return x - 11 + common_one;
#else
	return x - 1 + common_one;
#endif
}
__attribute__((noipa)) int user(int x)
{
#ifdef NEW
	return weak_one(x) + an_alias(x) + (nowhere ? nowhere(x) : 7) + hidden_one(x) + 3;
#else
	return weak_one(x) + z_alias(x) + (nowhere ? nowhere(x) : 7) + hidden_one(x);
#endif
}
void run_case(FILE *out)
{
	common_one = 0;
	for (int i = 0; i < 3; i++)
		fprintf(out, "%d %d\n", user(i), z_alias(i));
}
