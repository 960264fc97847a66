/* The library: its old code does not use the variable. */
int copied = 5;
__attribute__((noipa, noinline)) int lib_f(int x)
{
#ifdef NEW
	return x + copied;
#else
	return x * x * 2 - x / 3;
#endif
}
