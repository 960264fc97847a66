/* HPKM_REPLACE() of a function that exists nowhere by itself. */
#ifdef NEW
#include <hpkm/patch.h>
#endif

static int twice(int x) { return 2 * x; }

__attribute__((noinline)) int work(int x)
{
#ifdef NEW
	x++;
#endif
	return twice(x) + 3 * x * x - x / 7;
}

int main(int argc, char **argv)
{
	(void)argv;
	return work(argc);
}

#ifdef NEW
HPKM_REPLACE(twice);
#endif
