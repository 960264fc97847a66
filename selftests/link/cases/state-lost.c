/* EXPECT built f */
/* WARNS while there is no count any more */
/* OPT -O2 */
/* LINK pie */
/* A variable of another name: nothing says that it is the same. */
#include <stdio.h>
#ifdef NEW
static int total = 5;
__attribute__((noipa)) int f(int x) { return (total -= 2 * x) ? 2 * x : 0; }
#else
static int count = 5;
__attribute__((noipa)) int f(int x) { return (count += x) ? x : 0; }
#endif
void run_case(FILE *out) { fprintf(out, "%d\n", f(3)); }
