/* EXPECT replaced digit letter fresh */
/* Strings and tables that are reached from before or behind their start. */
#include <stdio.h>

__attribute__((noinline)) int digit(int c)
{
#ifdef NEW
	return "TheQuickBrownFox"[c - '0'] + "of course"[c - '0'];
#else
	return "jumps over the lazy dog"[c - '0'];
#endif
}

__attribute__((noinline)) int letter(int c)
{
	static const char table[] = "0123456789abcdef";
#ifdef NEW
	return table[c - 'a'] * 2 + "unlike"[c - 'a'];
#else
	return table[c - 'a'];
#endif
}

/* clang makes of the strings a table of distances. */
__attribute__((noinline)) int fresh(int x)
{
#ifdef NEW
	static const char *const texts[] = { "one", "three", "seven", "zero" };
#else
	static const char *const texts[] = { "one", "two", "three", "seven" };
#endif
	return texts[x & 3][x & 1];
}

void run_case(FILE *out)
{
	for (int i = 0; i < 6; i++)
		fprintf(out, "%d %d %d\n", digit('0' + i), letter('a' + i),
			fresh(i));
}
