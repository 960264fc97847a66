/* A hook that nothing would ever run. */
#ifdef NEW
#include <hpkm/patch.h>
#endif

int limit = 10;

int main(int argc, char **argv)
{
	(void)argv;
	return argc + limit;
}

#ifdef NEW
static void raise_limit(void) { limit = 20; }
HPKM_APPLY_HOOK(raise_limit);
#endif
