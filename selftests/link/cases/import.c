/* EXPECT replaced work order run_case */
/* LINK pie lib */
/* Functions that the program did not import: called, pointed to, in new data. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int nobody_has_this(int x) __attribute__((weak));

#ifdef NEW
/* Addresses in new data. */
static const struct { const char *name; int (*call)(int); } table[] = {
	{ "up", toupper }, { "down", tolower },
};
#endif

__attribute__((noinline)) int work(const char *s)
{
#ifdef NEW
	return strchr(s, 'b') - s + (getppid() > 0) + strtol("40", NULL, 8) +
		(nobody_has_this ? nobody_has_this(1) : 1000);
#else
	return s[0] + s[1] * s[2] + strlen(s);
#endif
}

static int compare(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

__attribute__((noinline)) void order(char *s, int n)
{
#ifdef NEW
	int (*volatile same)(const char *, const char *) = strcmp;

	qsort(s, n, 1, compare);
	for (int i = 0; i < n; i++)
		s[i] = table[i & 1].call(s[i]);
	if (same("a", "a"))
		s[0] = '!';
#else
	s[0] = compare(s, s + n - 1) < 0 ? 'x' : 'y';
#endif
}

void run_case(FILE *out)
{
	char text[] = "Quick";

#ifdef NEW
	order(text, 5);
	fprintf(out, "%d %s %s\n", work("aabc"), text, table[1].name);
#else
	order(text, 5);
	fprintf(out, "%d %s\n", work("aabc"), text);
#endif
}
