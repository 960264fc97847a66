/* No C library, so nothing has set up the thread pointer. */
#ifdef NEW
#define HPKM_SHADOW_CALLOC(size) ((void *)0)
#define HPKM_SHADOW_FREE(memory)
#include <hpkm/patch.h>
static int limit;
static void raise_limit(void) { limit = 20; }
HPKM_APPLY_HOOK(raise_limit);
#endif

__attribute__((noinline)) int work(int x)
{
#ifdef NEW
	x++;
#endif
	return 3 * x * x - x / 7;
}

void _start(void)
{
	volatile int x = 1;

	for (;;)
		x = work(x);
}
