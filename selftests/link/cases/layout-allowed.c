/* EXPECT replaced use */
/* WARNS struct conn: member age is new, at offset 4; existing objects have no value in it; its size changes from 4 to 8 bytes; allowed */
/* OPT -O0 -O2 */
/* FLAGS -g */
/* BUILD --allow-layout conn */
/* The author knows that each object is made and dropped by the new code. */
#include <stdio.h>
struct conn {
	int fd;
#ifdef NEW
	int age;
#endif
};
__attribute__((noipa)) int use(int fd)
{
	struct conn c = { .fd = fd };
#ifdef NEW
	volatile int *age = &c.age;

	*age = 3;
	return c.fd + c.age;
#else
	return c.fd;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", use(5)); }
