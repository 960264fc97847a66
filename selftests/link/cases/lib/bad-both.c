/* The library of ../bad-both.c. */
#ifdef NEW
static long lib_size = 2;
__attribute__((noinline)) int lib_get(void) { return lib_size += 2; }
#else
static int lib_size = 2;
__attribute__((noinline)) int lib_get(void) { return lib_size++; }
#endif
