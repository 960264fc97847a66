/* The library of ../tls-import.c; it does not change. */
__thread int lib_state = 4;
__attribute__((noinline)) int lib_get(void) { return lib_state; }
