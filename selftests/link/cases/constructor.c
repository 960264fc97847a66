/* EXPECT replaced prepare use */
/* WARNS prepare: it is a constructor */
/* OPT -O0 -O2 */
#include <stdio.h>
static int limit;
__attribute__((constructor)) static void prepare(void)
{
#ifdef NEW
	limit = 20;
#else
	limit = 10;
#endif
}
__attribute__((noipa)) int use(int x)
{
#ifdef NEW
	return x * 3 + !!limit;
#else
	return x * 2 + !!limit;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
