/* EXPECT refused struct pair: member d is new */
/* LINK pie */
/* OPT -O2 */
/* FLAGS -g */
/* Only a function that is new uses the new member, in a file of its own. */
#include <stdio.h>

struct pair;
int first(struct pair *p);
struct pair *get(void);
#ifdef NEW
int second(struct pair *p);
#endif

__attribute__((noinline)) int work(struct pair *p)
{
#ifdef NEW
	return first(p) + second(p);
#else
	return first(p);
#endif
}

void run_case(FILE *out) { fprintf(out, "%d\n", work(get())); }
