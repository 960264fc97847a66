__attribute__((noinline)) static int toupper(int x)
{
	return x * 1000;
}

__attribute__((noinline)) static long labs(long x)
{
	return x * 2000;
}

int others(int x)
{
	return toupper(x) + (int)labs(x);
}
