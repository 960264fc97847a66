/* A function to be replaced that the running program does not have. */
#ifdef NEW
#include <hpkm/patch.h>
#endif

int limit = 10;

#ifdef NEW
__attribute__((noinline)) int raised(int x) { return x + limit; }
HPKM_REPLACE(raised);
#endif

__attribute__((noinline)) int get(int x)
{
#ifdef NEW
	return raised(x) * 3;
#else
	return x - limit;
#endif
}

int main(int argc, char **argv)
{
	(void)argv;
	return get(argc);
}
