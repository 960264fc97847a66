/* EXPECT replaced f */
/* WARNS member flags moved from offset 4 to 8; its size changes from 8 to 24 bytes; allowed */
/* OPT -O2 */
/* LINK pie */
/* FLAGS -g */
/* BUILD --allow-layout conn */
/* Who allows that a member moves is told, too, that the structure grows. */
#include <stdio.h>
struct conn {
	int fd;
#ifdef NEW
	int more;
#endif
	int flags;
#ifdef NEW
	int tail[3];
#endif
};
__attribute__((noipa)) int f(int x)
{
	volatile struct conn c = { .fd = x, .flags = 3 };

#ifdef NEW
	c.tail[0] = x;
	return c.fd + c.flags * c.tail[0];
#else
	return c.fd + c.flags;
#endif
}
void run_case(FILE *out) { fprintf(out, "%d\n", f(5)); }
