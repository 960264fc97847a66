// SPDX-License-Identifier: GPL-2.0
/*
 * What unwind_test looks at: a process that sleeps with addresses of old code
 * on its stack.
 *
 *	unwind_target CASE
 *
 * It prints where the old code starts and ends, "ready" and its thread's id,
 * and sleeps for ever.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define OLD	__attribute__((noipa, section("old_text")))
#define NEW	__attribute__((noipa))

extern const char __start_old_text[], __stop_old_text[];

/* In unwind_nocfi.c, compiled without call frame information. */
void nocfi(void (*within)(void));

static ucontext_t kept, back;
static __thread void *volatile in_tls;
static volatile int sink;

NEW static void sleep_here(void)
{
	printf("%lx %lx %ld\n", (long)__start_old_text, (long)__stop_old_text,
	       syscall(SYS_gettid));
	fflush(stdout);
	for (;;)
		pause();
}

NEW static void nothing(void)
{
	sink++;
}

/* A call that has a return address in old code. */
OLD static void old(void (*within)(void))
{
	within();
	sink++;
}

OLD static void old_deep(int depth)
{
	if (depth)
		old_deep(depth - 1);
	sink++;
}

/* Old code that is interrupted in the middle. */
OLD static void old_trap(void)
{
	sink++;
	asm volatile("ud2");
	sink++;
}

/*
 * Interrupted at its first instruction: what is before that is of a function
 * that has no caller.
 */
void old_trap_first(void);

asm(".pushsection old_text, \"ax\", @progbits\n"
    ".cfi_startproc\n"
    ".cfi_undefined rip\n"
    "	nop\n"
    ".cfi_endproc\n"
    "old_trap_first:\n"
    ".cfi_startproc\n"
    "	ud2\n"
    "	ret\n"
    ".cfi_endproc\n"
    ".popsection");

/* An address in the middle of old code, to go on at with a jump. */
OLD static void old_label(void *volatile *state)
{
	if (*state)
		goto *(*state);
	sink++;
	*state = &&label;
	return;
label:
	sink += 2;
}

OLD static void old_context(ucontext_t *context)
{
	getcontext(context);
	sink++;
}

OLD static void *old_return(void)
{
	return __builtin_return_address(0);
}

OLD static void *old_call(void)
{
	void *address = old_return();

	sink++;
	return address;
}

/* Rooms that leave what earlier calls wrote. */
NEW static void room(void (*then)(void), size_t size)
{
	char bytes[size];

	asm volatile("" : : "r" (bytes) : "memory");
	then();
	sink++;
}

NEW static void leave_words(void)
{
	char bytes[512];

	asm volatile("" : : "r" (bytes) : "memory");
	old(nothing);
	old_deep(3);
	sink++;
}

/* Words that nobody returns to. */
static void stale(void)
{
	leave_words();
	room(sleep_here, 2048);
}

static void live(void)
{
	old(sleep_here);
}

static void both(void)
{
	leave_words();
	room(live, 2048);
}

NEW static void descend(int depth)
{
	if (depth)
		descend(depth - 1);
	else
		stale();
	sink++;
}

static void deep(void)
{
	descend(10000);
}

static void large(void)
{
	leave_words();
	room(sleep_here, 20000);
}

static void parked(void)
{
	ucontext_t context;

	old_context(&context);
	sleep_here();
	setcontext(&context);
}

NEW static void yield(void)
{
	swapcontext(&kept, &back);
}

static void coroutine(void)
{
	old(yield);
}

/* A coroutine on a part of this stack. */
static void on_stack(void)
{
	char stack[12 << 10] __attribute__((aligned(16)));
	ucontext_t context;

	getcontext(&context);
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = sizeof(stack);
	context.uc_link = NULL;
	makecontext(&context, coroutine, 0);
	kept = context;
	kept.uc_mcontext.fpregs = (void *)&kept.__fpregs_mem;
	swapcontext(&back, &kept);
	/* The way a library that copies contexts would. */
	context = kept;
	context.uc_mcontext.fpregs = (void *)&context.__fpregs_mem;
	sleep_here();
	setcontext(&context);
}

static void on_trap(int number)
{
	sleep_here();
}

static void catch_traps(int flags)
{
	struct sigaction action = { .sa_handler = on_trap, .sa_flags = flags };

	sigaction(SIGILL, &action, NULL);
}

static void trap_here(void)
{
	catch_traps(0);
	old_trap();
}

static void trap_first(void)
{
	catch_traps(0);
	old_trap_first();
}

static void at_first(void)
{
	leave_words();
	room(trap_first, 2048);
}

static void in_handler(void)
{
	leave_words();
	room(trap_here, 2048);
}

static void on_alternate(void)
{
	stack_t stack = { .ss_size = 64 << 10 };

	stack.ss_sp = malloc(stack.ss_size);
	sigaltstack(&stack, NULL);
	catch_traps(SA_ONSTACK);
	old_trap();
}

static void label(void)
{
	void *volatile state = NULL;

	old_label(&state);
	sleep_here();
	old_label(&state);
}

static void without(void)
{
	leave_words();
	nocfi(stale);
}

static void *run_thread(void *data)
{
	in_tls = old_call();
	stale();
	return NULL;
}

static void thread(void)
{
	pthread_t id;

	pthread_create(&id, NULL, run_thread, NULL);
	pthread_join(id, NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "stale", stale },
	{ "live", live },
	{ "both", both },
	{ "deep", deep },
	{ "large", large },
	{ "parked", parked },
	{ "on-stack", on_stack },
	{ "in-handler", in_handler },
	{ "at-first", at_first },
	{ "on-alternate", on_alternate },
	{ "label", label },
	{ "without", without },
	{ "thread", thread },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (argc > 1 && !strcmp(cases[i].name, argv[1]))
			cases[i].run();
	return 2;
}
