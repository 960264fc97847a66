/* The same. */
static __attribute__((used, noinline)) int step(int x)
{
#ifdef NEW
	return x * 3 + 77;
#else
	return x * 3 + 7;
#endif
}
