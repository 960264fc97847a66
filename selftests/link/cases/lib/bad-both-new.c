/* The library of ../bad-both-new.c. */
static int size = 2;
__attribute__((noinline)) int lib_get(void) { return size++; }
#ifdef NEW
__attribute__((noinline)) int lib_more(int x) { return x * 7; }
#endif
