/* The library of ../both.c. */
int answer(int x);
int lib_count = 3;
static int calls;

#ifdef NEW
static const char *const texts[] = { "one", "three" };
__attribute__((noinline)) static int fresh(int x) { return texts[x & 1][x & 1]; }
#endif

__attribute__((noinline)) int lib_step(int x)
{
#ifdef NEW
	return fresh(x) + ++calls;
#else
	return x + ++calls;
#endif
}

__attribute__((noinline)) int lib_pair(int x)
{
#ifdef NEW
	return answer(x) - lib_step(x + 1) + lib_count;
#else
	return answer(x) + lib_count;
#endif
}

void lib_reset(void)
{
	calls = 0;
	lib_count = 3;
}
