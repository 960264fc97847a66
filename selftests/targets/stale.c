// SPDX-License-Identifier: GPL-2.0
/*
 * A target whose threads sleep with addresses of old code on their stacks:
 * some that nobody returns to, and some that somebody does.
 *
 *	stale CASE [THREADS]
 *
 * It writes "asleep" to standard output when it sleeps, wakes for a byte on
 * standard input, and writes "version N": the version of around() that the
 * call under way was of, or of one made then.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "load.h"

#define LOCAL	__attribute__((noipa))
#define ROOM	2048
#define WIDE_ROOM	12288	/* a larger frame is not trusted */

static int threads = 1;

LOCAL static void nothing(void)
{
	asm volatile("" : : : "memory");
}

LOCAL static void say(const char *what, unsigned long number)
{
	printf("%s %lu\n", what, number);
	fflush(stdout);
}

LOCAL static void nap(void)
{
	char byte;

	say("asleep", syscall(SYS_gettid));
	if (read(0, &byte, 1) != 1)
		_exit(1);
}

/* What earlier calls left stays in a part of its frame. */
LOCAL static void room(void (*then)(void))
{
	char bytes[ROOM];

	asm volatile("" : : "r" (bytes) : "memory");
	then();
	asm volatile("" : : : "memory");
}

LOCAL static void leave_words(void)
{
	char bytes[ROOM / 4];

	asm volatile("" : : "r" (bytes) : "memory");
	around(1, nothing);
	asm volatile("" : : : "memory");
}

static void tell_version(unsigned long result)
{
	say("version", result - 8);
}

/* Nobody returns there. */
static void left(void)
{
	leave_words();
	room(nap);
	tell_version(around(1, nothing));
}

/* More of them than one question is about. */
static int calls_left;

LOCAL static void call_again(void)
{
	if (calls_left-- > 0)
		around(1, call_again);
	asm volatile("" : : : "memory");
}

LOCAL static void wide_room(void (*then)(void))
{
	char bytes[WIDE_ROOM];

	asm volatile("" : : "r" (bytes) : "memory");
	then();
	asm volatile("" : : : "memory");
}

static void wide(void)
{
	calls_left = 150;
	call_again();
	wide_room(nap);
	tell_version(around(1, nothing));
}

static void call(void)
{
	tell_version(around(1, nap));
}

/* Somebody does, too. */
static void within(void)
{
	leave_words();
	room(call);
}

LOCAL static void descend(int depth)
{
	if (depth)
		descend(depth - 1);
	else
		left();
	asm volatile("" : : : "memory");
}

static void deep(void)
{
	descend(10000);
}

/* A coroutine, which is parked in around(), on a part of this stack. */
static ucontext_t *here, *there;

static void yield(void)
{
	swapcontext(there, here);
}

static void coroutine(void)
{
	tell_version(around(1, yield));
	setcontext(here);
}

static void park(void)
{
	char stack[12 << 10] __attribute__((aligned(16)));
	ucontext_t back, context;

	here = &back;
	there = &context;
	getcontext(&context);
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = sizeof(stack);
	makecontext(&context, coroutine, 0);
	swapcontext(&back, &context);
	nap();
	swapcontext(&back, &context);
	/* The coroutine is done: what it left is of no use to anybody. */
	nap();
	tell_version(around(1, nothing));
}

/*
 * It sleeps twice at the same instruction, with the same stack pointer and the
 * same word on its stack.  The first time that word is stale, the second time
 * it is a return address.
 */
static uint64_t turn_sp;

LOCAL static void nap_there(void)
{
	uint64_t own = (uint64_t)__builtin_frame_address(0);
	char byte;
	long got;

	if (!turn_sp)
		turn_sp = (own - 2 * ROOM) & -64UL;
	say("asleep", syscall(SYS_gettid));
	/* Nothing is between here and there but what nobody uses. */
	asm volatile("mov %%rsp, %%rbx\n\tmov %[sp], %%rsp\n\tsyscall\n\t"
		     "mov %%rbx, %%rsp"
		     : "=a" (got)
		     : "0" (SYS_read), "D" (0L), "S" (&byte), "d" (1L),
		       [sp] "r" (turn_sp)
		     : "rbx", "rcx", "r11", "memory");
	if (got != 1)
		_exit(1);
}

static void turn(void)
{
	around(1, nothing);
	room(nap_there);
	tell_version(around(1, nap_there));
}

static void *run_left(void *data)
{
	leave_words();
	room(nap);
	return NULL;
}

static void many(void)
{
	pthread_t ids[threads];

	for (int i = 0; i < threads; i++)
		pthread_create(&ids[i], NULL, run_left, NULL);
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	tell_version(around(1, nothing));
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "left", left },
	{ "within", within },
	{ "deep", deep },
	{ "park", park },
	{ "turn", turn },
	{ "many", many },
	{ "wide", wide },
};

int main(int argc, char **argv)
{
	if (argc > 2)
		threads = atoi(argv[2]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (argc > 1 && !strcmp(cases[i].name, argv[1]))
			cases[i].run();
	pause();
	return 0;
}
