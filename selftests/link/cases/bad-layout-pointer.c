/* EXPECT refused struct list: member head changes from struct a . to struct b . */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -g */
#include <stdio.h>
#ifdef NEW
struct a { int x; }; struct b { int y, x; }; struct list { struct b *head; };
#else
struct a { int x; }; struct b { int y, x; }; struct list { struct a *head; };
#endif
struct a *a_there; struct list one;
__attribute__((noinline)) int use(struct list *l)
{
#ifdef NEW
	return (l->head ? l->head->x : a_there ? a_there->x : 1) * 3;
#else
	return (l->head ? l->head->x : a_there ? a_there->x : 1) * 2;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(&one)); }
