/* The states of hooks, one thread, and calls of every shape. */
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "gate.h"

#ifdef NEW
#define VERSION 2
#else
#define VERSION 1
#endif

/* What the hooks did, letter by letter. */
static char log_text[64];
static int from_handler, within;
static volatile int depth;

__attribute__((noipa)) static void interrupt(void)
{
	raise(SIGUSR1);
}

static void note(char c)
{
	for (size_t i = 0; i < sizeof(log_text) - 1; i++) {
		if (!log_text[i]) {
			log_text[i] = c;
			break;
		}
	}
}

static int took(FILE *out, const char *want)
{
	int same = !strcmp(log_text, want);

	if (!same)
		fprintf(out, "# the hooks did '%s', not '%s'\n", log_text, want);
	memset(log_text, 0, sizeof(log_text));
	return same;
}

__attribute__((noipa)) int version(void)
{
	return VERSION + depth * 0;
}

struct big { long a[9]; };

__attribute__((noipa)) struct big many(struct big b, double x, int n, ...)
{
	va_list args;

	va_start(args, n);
	for (int i = 0; i < 9; i++)
		b.a[i] = b.a[i] * VERSION + (long)x;
	while (n--)
		b.a[0] += (long)va_arg(args, double) + va_arg(args, int);
	va_end(args);
	return b;
}

__attribute__((noipa)) long double mix(float f, long double l, __int128 i,
				       _Complex double z)
{
	return f + l + (long double)i + __real__ z + 2 * __imag__ z + VERSION;
}

/* Does not change, and is replaced nevertheless. */
__attribute__((noipa)) int same(int x)
{
	return x / 3 + 5;
}

static void handler(int number)
{
	(void)number;
	from_handler = version();
}

#ifdef NEW
static void first(void)
{
	note('a');
	within = version();
	interrupt();
}

static void second(void)
{
	note('b');
}

static void undo_first(void)
{
	note('A');
	within = version();
}

static void undo_second(void)
{
	note('B');
}

HPKM_APPLY_HOOK(first);
HPKM_APPLY_HOOK(second);
HPKM_REVERT_HOOK(undo_first);
HPKM_REVERT_HOOK(undo_second);
HPKM_REPLACE(same);
#endif

static void shapes(FILE *out)
{
	struct big b = { { 1, 2, 3, 4, 5, 6, 7, 8, 9 } };
	_Complex double z = 3.0 + 4.0 * 1.0i;

	/* The first call runs the hooks. */
	STATE = HPKM_HOOK_PENDING;
	b = many(b, 100.5, 3, 1.5, 2, 3.25, 4, 5.0, 6);
	check(took(out, "ab"), "a call with many arguments runs them");
	check(b.a[0] == 102 + 1 + 2 + 3 + 4 + 5 + 6 && b.a[8] == 118,
	      "structure by value, variable arguments");
	STATE = HPKM_HOOK_PENDING;
	check(mix(0.5f, 1.25L, (__int128)1 << 70, z) ==
	      (long double)((__int128)1 << 70) + 0.5L + 1.25L + 3 + 8 + 2,
	      "float, long double, 128 bits, complex");
	check(took(out, "ab"), "that call ran them");
}

static void revert(FILE *out)
{
	/* As the kernel does it. */
	WANT = 1;
	STATE = HPKM_HOOK_WANTED;
	within = 0;
	check(version() == 2 && took(out, "BA"), "revert hooks run, last first");
	check(within == 2, "a revert hook may call new code");
	check(STATE == HPKM_HOOK_REVERTED, "state reverted");
	check(version() == 2 && took(out, ""), "they run once");
	WANT = 0;
	check(version() == 2 && took(out, "ab"),
	      "taken back when they have run: apply hooks run again");
	check(STATE == HPKM_HOOK_READY, "state ready");
	WANT = 1;
	STATE = HPKM_HOOK_WANTED;
	WANT = 0;
	check(version() == 2 && took(out, ""), "taken back before they ran");
	check(STATE == HPKM_HOOK_READY && !OWNER, "state ready again");
}

void run_case(FILE *out)
{
	signal(SIGUSR1, handler);
	if (!loader_hook_state) {
		struct big b = { { 0 } };

		interrupt();
		version();
		many(b, 1, 0);
		mix(1, 1, 1, 1);
		same(1);
		return;
	}
	check(STATE == HPKM_HOOK_PENDING, "state pending");
	check(version() == 2, "the new version");
	check(took(out, "ab"), "apply hooks ran, first first");
	check(within == 2, "a hook that calls new code does not wait");
	check(from_handler == 2, "nor does a handler that interrupts it");
	check(STATE == HPKM_HOOK_READY && !OWNER, "state ready");
	check(version() == 2 && took(out, ""), "they ran once");
	shapes(out);
	STATE = HPKM_HOOK_PENDING;
	check(same(30) == 15 && took(out, "ab"),
	      "HPKM_REPLACE() makes a gate of a function that stays");
	revert(out);
	check(1, "done");
}
