int helper(int x);
#ifdef NEW
int state;
__attribute__((noipa)) int helper(int x) { return x * 4 + state++; }
#endif
__attribute__((noipa)) int step(int x)
{
#ifdef NEW
	return helper(x) + 100;
#else
	return helper(x) + 10;
#endif
}
