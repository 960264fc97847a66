/* EXPECT refused struct conn: member flags moved from offset 8 to 16 */
/* FLAGS -g */
#include <stdio.h>
#include <stdlib.h>
struct conn {
	int fd;
	void *aligned[0];
#ifdef NEW
	long age;
#endif
	int flags;
};
struct conn *current;
__attribute__((noinline)) int use(struct conn *c) { return c->flags + c->fd; }
void run_case(FILE *out)
{
	current = calloc(1, sizeof(*current));
	fprintf(out, "%d\n", use(current));
}
