/* The library of ../bad-tls-import.c. */
__thread int lib_state = 4;
__attribute__((noinline)) int lib_get(void) { return lib_state; }
