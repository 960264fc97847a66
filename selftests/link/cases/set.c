/* EXPECT built f */
/* WARNS del: a new entry of the linker's set commands */
/* OPT -O2 clang */
/* LINK pie */
/* A new entry is in no process that runs. */
#include <stdio.h>
struct command { int length, weight; };
#define COMMAND(x, n) static const struct command x \
	__attribute__((section("commands"), used, aligned(16))) = { sizeof(#x), n }
extern const struct command __start_commands[], __stop_commands[];
COMMAND(get, 1);
COMMAND(put, 2);
#ifdef NEW
COMMAND(del, 0);
#endif
__attribute__((noipa, noinline)) int f(int x)
{
#ifdef NEW
	x *= 2;
#endif
	for (const struct command *c = __start_commands; c < __stop_commands; c++)
		x += c->weight;
	return x;
}
void run_case(FILE *out) { fprintf(out, "%d\n", f(3)); }
