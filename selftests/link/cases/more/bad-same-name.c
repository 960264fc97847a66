static int spare = 40;
__attribute__((noinline)) int keep(int x) { return spare += x; }
