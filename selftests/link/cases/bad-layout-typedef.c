/* EXPECT refused conn_t: member age is new, at offset 4; existing objects have no value in it */
/* OPT -O2 clang */
/* LINK pie */
/* FLAGS -g */
#include <stdio.h>
#ifdef NEW
typedef struct { char used; int age; long id; } conn_t;
#else
typedef struct { char used; long id; } conn_t;
#endif
conn_t one;
__attribute__((noinline)) int use(conn_t *c)
{
#ifdef NEW
	return (c->id + c->used) * 3;
#else
	return (c->id + c->used) * 2;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(&one)); }
