/* What takes its place. */
int pick(int x) { return x + 100; }
