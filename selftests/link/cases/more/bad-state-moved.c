/* The file that it goes to. */
__attribute__((noipa)) int next(int x)
{
#ifdef NEW
	static int count = 5;

	return count += 2 * x;
#else
	return x * x * x - x / 3 + 5;
#endif
}
