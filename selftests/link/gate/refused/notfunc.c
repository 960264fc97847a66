/* The macro went round: a record that points to a variable. */
#ifdef NEW
#include <hpkm/patch.h>
#endif

int limit = 10;

__attribute__((noinline)) int work(int x)
{
#ifdef NEW
	x++;
#endif
	return 3 * x * x - x / 7 + limit;
}

int main(int argc, char **argv)
{
	(void)argv;
	return work(argc);
}

#ifdef NEW
static int *const record[2]
	__attribute__((used, section(".hpkm.apply"))) = { &limit, (int *)1 };
#endif
