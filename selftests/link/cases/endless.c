/* EXPECT built serve */
/* WARNS serve: it never returns: as long as a thread is inside */
/* OPT -O0 -O2 */
/* LINK main */
#include <unistd.h>
__attribute__((noipa)) void serve(int x)
{
	for (;;) {
#ifdef NEW
		usleep(x + 1);
#else
		usleep(x);
#endif
	}
}
int main(int argc, char **argv)
{
	if (argc > 1)
		serve(argc);
	return 0;
}
