/* The other file of ../two.c. */
int kept = 4;
#ifdef NEW
int fresh_count;
int (*fresh_pointer)(int);
__attribute__((noinline)) int fresh(int x)
{
	fresh_count = x;
	return x * 100;
}
#endif

__attribute__((noinline)) int maker(int x)
{
#ifdef NEW
	fresh_pointer = fresh;
	return fresh_pointer(x) + kept;
#else
	return x * 10 + kept;
#endif
}
