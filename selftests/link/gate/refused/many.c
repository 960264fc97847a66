/* More hooks than there may be. */
#ifdef NEW
#include <hpkm/patch.h>
#endif

int limit = 10;

__attribute__((noipa)) int over(int x)
{
#ifdef NEW
	x *= 2;
#endif
	return x > limit;
}

int main(int argc, char **argv)
{
	(void)argv;
	return over(argc);
}

#ifdef NEW
#define HOOK(n) static void raise_##n(void) { limit += n; } \
	HPKM_APPLY_HOOK(raise_##n);
#define EIGHT(n) HOOK(n##0) HOOK(n##1) HOOK(n##2) HOOK(n##3) \
	HOOK(n##4) HOOK(n##5) HOOK(n##6) HOOK(n##7)
EIGHT(1) EIGHT(2) EIGHT(3) EIGHT(4) EIGHT(5) EIGHT(6) EIGHT(7) EIGHT(8)
HOOK(90)
#endif
