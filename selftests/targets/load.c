// SPDX-License-Identifier: GPL-2.0
/*
 * The usual target: threads that are busy calling what is replaced and check
 * every answer, and threads that sleep in all kinds of system calls, which
 * must not return.
 *
 *	load -s STATS [-b BUSY] [-z SLEEPING] [-S]
 *
 * Standard input has commands, one a line:
 *	slow	a thread calls slow() and sleeps in it
 *	shared	the same, on a stack in shared memory
 *	forget	that stack is no longer mapped by the page tables
 *	handler	a thread calls around(), which raises a signal whose handler
 *		sleeps on an alternate stack
 *	aside	the same, but not from within a function that is replaced
 *	disarm	as handler, with an alternate stack that is disarmed meanwhile
 *	nameless as handler; meanwhile the kernel is not told of any address
 *		that handlers return to
 *	split	a thread calls around() and sleeps within; a page of its stack
 *		between the two is locked in memory
 *	withheld the same; that page is for a userfaultfd to bring in
 *	beside	the same as slow; in the same mapping, below a guard page, another
 *		thread sleeps that has not called anything
 *	within	a thread calls around() and sleeps in asleep_within()
 *	spin	the same, but it is busy, in busy_within(), until "stop"
 *	narrow	the same, but it is busy in 32-bit code
 *	deep	a thread calls around() and sleeps in it, on a stack of which it
 *		uses more than anybody looks through
 *	park	a coroutine calls around() and is parked in the middle of it
 *	resume	that coroutine goes on to its end
 *	clear	what was its stack is filled with zeros
 *	storm	threads are made that call once, one after the other, for ever
 *	breed	so are children; each must see one version only
 *	turn	a thread sleeps for moments, by turns within around() and without,
 *		with the same registers and the same height of its stack
 *	come	threads are made that do so within around() and end, with moments
 *		in between
 *	let	wakes that thread
 *	stop	ends what spins
 *	fork	a child goes on, with one busy thread
 *	spawn	the same with CLONE_VM: parent and child share their memory
 *	orphan	the same; that child goes on when its parent has ended
 *	maps	some threads map and unmap memory, for ever
 *	vfork	a thread calls vfork() and its child sleeps: it can't be killed
 *	exec	another program replaces this one
 *	map FILE    its first page is mapped as code, and not read
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "load.h"

/*
 * Between two calls, for each busy thread: of those that want to run one in
 * many does, and the others stand where they were stopped.  However many they
 * are, none is in the way most of the time.
 */
#define REST		200
#define STACK_SIZE	(64 << 10)
#define PAGE		4096
#define ALTSTACK_SIZE	(64 << 10)
#define MAPPERS		8
#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

static struct stats *stats;
static struct process_stats *mine;
static int quiet[2];		/* a pipe that nobody writes to */
static int wake[2];		/* "let" writes to it */
static int listener, queue = -1;
static sem_t never;
static uint32_t futex_word;
static int rests;
static int orphan;

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	_exit(1);
}

static void add(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

static void set(uint64_t *counter, uint64_t value)
{
	__atomic_store_n(counter, value, __ATOMIC_SEQ_CST);
}

static uint64_t version_of(unsigned long result, unsigned long x)
{
	unsigned long version = result - 8 * x;

	return version < VERSIONS ? version : 0;
}

/*
 * Work of another kind between two calls: a thread that did nothing else but
 * call what is replaced would hardly ever be outside of it.
 */
static void rest(void)
{
	for (volatile int i = 0; i < rests; i++)
		;
}

static void be_busy(struct busy_stats *busy)
{
	for (unsigned long x = 1;; x += 3) {
		uint64_t version = version_of(answer(x), x);

		if (version)
			add(&mine->answers[version]);
		else
			add(&mine->wrong);
		version = version_of(other(x), x);
		set(&mine->other, version);
		if (!version)
			add(&mine->wrong);
		set(&busy->last, version_of(answer(x), x));
		set(&busy->calls, x);
		rest();
	}
}

static void *busy_thread(void *data)
{
	add(&stats->ready);
	be_busy(data);
	return NULL;
}

/* System calls that do not return unless something goes wrong. */

static int in_nanosleep(void)
{
	struct timespec long_time = { .tv_sec = 1000000 };

	return nanosleep(&long_time, NULL);
}

static int in_read(void)
{
	char byte;

	return read(quiet[0], &byte, 1);
}

static int in_sem_wait(void)
{
	return sem_wait(&never);
}

static int in_futex(void)
{
	return syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, NULL,
		       NULL, 0);
}

static int in_poll(void)
{
	struct pollfd poll_fd = { .fd = quiet[0], .events = POLLIN };

	return poll(&poll_fd, 1, -1);
}

static int in_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(quiet[0], &set);
	return select(quiet[0] + 1, &set, NULL, NULL, NULL);
}

static int in_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, quiet[0], &event))
		die("epoll");
	return epoll_wait(fd, &event, 1, -1);
}

static int in_accept(void)
{
	return accept(listener, NULL, NULL);
}

static int in_msgrcv(void)
{
	struct {
		long type;
		char text[8];
	} message;

	return msgrcv(queue, &message, sizeof(message.text), 1, 0);
}

static int in_sigwaitinfo(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigwaitinfo(&set, NULL);
}

static int (*const sleeps[])(void) = {
	in_nanosleep, in_read, in_sem_wait, in_futex, in_poll, in_select,
	in_epoll, in_accept, in_msgrcv, in_sigwaitinfo,
};

static void *sleeping_thread(void *data)
{
	uintptr_t kind = (uintptr_t)data;

	add(&stats->ready);
	sleeps[kind]();
	set(&stats->early_errno, errno);
	set(&stats->early_kind, kind);
	add(&stats->early);
	pause();
	return NULL;
}

/* @stack: of STACK_SIZE; NULL: its own. */
static void start_on(void *stack, void *(*run)(void *data), void *data)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	if (stack)
		pthread_attr_setstack(&attr, stack, STACK_SIZE);
	else
		pthread_attr_setstacksize(&attr, STACK_SIZE);
	errno = pthread_create(&thread, &attr, run, data);
	if (errno)
		die("pthread_create");
	pthread_attr_destroy(&attr);
}

static void start(void *(*run)(void *data), void *data)
{
	start_on(NULL, run, data);
}

/* Commands */

static void *slow_thread(void *unused)
{
	set(&mine->slow, version_of(slow(5, wake[0]), 5));
	return unused;
}

/* What is in shared memory stays there when it is not mapped. */
static void *shared_stack;

static void do_shared(void)
{
	shared_stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared_stack == MAP_FAILED)
		die("shared");
	start_on(shared_stack, slow_thread, NULL);
}

static void do_forget(void)
{
	if (madvise(shared_stack, STACK_SIZE, MADV_DONTNEED))
		die("forget");
}

/* Madvise's MADV_GUARD_INSTALL, of Linux 6.13. */
#define GUARD_INSTALL	102

static void sleep_behind_locked(void)
{
	char buffer[4 * PAGE];
	char *page = (char *)(((uintptr_t)buffer + PAGE - 1) & -PAGE) + PAGE;
	char byte;

	memset(buffer, 0, sizeof(buffer));
	if (mlock(page, PAGE))
		die("mlock");
	if (read(wake[0], &byte, 1) != 1)
		die("wake");
	if (munlock(page, PAGE))
		die("munlock");
}

static void *split_thread(void *unused)
{
	set(&mine->slow, version_of(around(5, sleep_behind_locked), 5));
	return unused;
}

static void sleep_behind_withheld(void)
{
	char buffer[4 * PAGE];
	char *page = (char *)(((uintptr_t)buffer + PAGE - 1) & -PAGE) + PAGE;
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	char byte;

	memset(buffer, 0, sizeof(buffer));
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &range) ||
	    madvise(page, PAGE, MADV_DONTNEED))
		die("userfaultfd");
	if (read(wake[0], &byte, 1) != 1)
		die("wake");
	close(fd);
}

static void *withheld_thread(void *unused)
{
	set(&mine->slow, version_of(around(5, sleep_behind_withheld), 5));
	return unused;
}

static void do_beside(void)
{
	char *both = mmap(NULL, 2 * STACK_SIZE + 2 * PAGE,
			  PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (both == MAP_FAILED)
		die("beside");
	/* Kernels that have no such guards do without. */
	madvise(both, PAGE, GUARD_INSTALL);
	madvise(both + PAGE + STACK_SIZE, PAGE, GUARD_INSTALL);
	start_on(both + PAGE, sleeping_thread, (void *)1);
	start_on(both + 2 * PAGE + STACK_SIZE, slow_thread, NULL);
}

/* As rt_sigaction() has it: the C library does not let one see the restorer. */
struct kernel_action {
	void (*handler)(int number);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static long set_action(int number, const struct kernel_action *action,
		       struct kernel_action *before)
{
	return syscall(SYS_rt_sigaction, number, action, before,
		       sizeof(action->mask));
}

/* No signal comes meanwhile; the frame on the stack has its return address. */
static void for_nameless(void (*run)(void))
{
	static const struct kernel_action ignore = { .handler = SIG_IGN };
	struct kernel_action before[NSIG];

	for (int i = 1; i < NSIG; i++) {
		if (set_action(i, NULL, &before[i]))
			die("rt_sigaction");
		if (before[i].restorer && set_action(i, &ignore, NULL))
			die("rt_sigaction");
	}
	run();
	for (int i = 1; i < NSIG; i++)
		if (before[i].restorer)
			set_action(i, &before[i], NULL);
}

static int nameless;

static void handle_usr1(void)
{
	char byte;

	add(&stats->handlers);
	if (read(wake[0], &byte, 1) != 1)
		die("wake");
}

static void on_usr1(int number)
{
	if (nameless)
		for_nameless(handle_usr1);
	else
		handle_usr1();
}

/* Not static: return probes are set on them. */
__attribute__((noipa)) void asleep_within(void)
{
	char byte;

	if (read(wake[0], &byte, 1) != 1)
		die("wake");
}

/* 32-bit code reads it, too. */
static volatile uint32_t *spinning;

__attribute__((noipa)) void busy_within(void)
{
	add(&stats->handlers);
	while (*spinning)
		;
}

static void make_spinning(void)
{
	spinning = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (spinning == MAP_FAILED)
		die("spinning");
	*spinning = 1;
}

static void *within_thread(void *within)
{
	set(&mine->slow, version_of(around(5, (void (*)(void))within), 5));
	return NULL;
}

/*
 * As busy_within().  The code lies below 4 GiB behind *spinning, as does the
 * place where the stack and frame pointers are kept: 32-bit code leaves the
 * registers alone that only 64-bit code has, but not the upper halves of others.
 */
static void narrow_within(void)
{
	static const unsigned char code[] = {
		0x83, 0x3d, 0, 0, 0, 0, 0,	/* 1: cmpl $0, spinning */
		0x75, 0xf7,			/*    jne 1b */
		0xea, 0, 0, 0, 0, 0x33, 0,	/*    ljmp $0x33, $2f */
		0xff, 0x24, 0x25, 0, 0, 0, 0,	/* 2: jmp *back */
	};
	const struct {
		uint32_t start;
		uint16_t segment;
	} there = { (uintptr_t)spinning + 64, 0x23 };
	uint32_t page = (uintptr_t)spinning, back = page + 16;
	uint32_t at = there.start + 16;
	unsigned char *to = (unsigned char *)spinning + 64;

	memcpy(to, code, sizeof(code));
	memcpy(to + 2, &page, sizeof(page));
	memcpy(to + 10, &at, sizeof(at));
	memcpy(to + 19, &back, sizeof(back));
	add(&stats->handlers);
	__asm__ volatile("lea 1f(%%rip), %%rax\n\t"
			 "mov %%rax, 16(%[page])\n\t"
			 "mov %%rsp, 24(%[page])\n\t"
			 "mov %%rbp, 32(%[page])\n\t"
			 "ljmp *%[there]\n"
			 "1:\n\t"
			 "mov 24(%[page]), %%rsp\n\t"
			 "mov 32(%[page]), %%rbp"
			 :
			 : [page] "b" ((uint64_t)page), [there] "m" (there)
			 : "rax", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			   "r15", "memory", "cc");
}

/* The module looks through 65536 pages, of 4 KiB. */
#define DEEP	(260UL << 20)

static void deep_within(void)
{
	volatile char *room = __builtin_alloca(DEEP);

	room[0] = 1;
	asleep_within();
}

static void do_deep(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, DEEP + STACK_SIZE);
	errno = pthread_create(&thread, &attr, within_thread, deep_within);
	if (errno)
		die("pthread_create");
	pthread_attr_destroy(&attr);
}

static void raise_usr1(void)
{
	pthread_kill(pthread_self(), SIGUSR1);
}

#ifndef SS_AUTODISARM
#define SS_AUTODISARM	(1U << 31)
#endif

static void use_altstack(int flags)
{
	stack_t stack = {
		.ss_sp = malloc(ALTSTACK_SIZE),
		.ss_size = ALTSTACK_SIZE,
		.ss_flags = flags,
	};

	if (sigaltstack(&stack, NULL))
		die("sigaltstack");
}

static void *handler_thread(void *flags)
{
	use_altstack((uintptr_t)flags);
	set(&mine->slow, version_of(around(5, raise_usr1), 5));
	return NULL;
}

static void *aside_thread(void *unused)
{
	use_altstack(0);
	raise_usr1();
	set(&mine->slow, version_of(answer(5), 5));
	return unused;
}

/* A coroutine, on a stack that no thread uses while it is parked. */
static ucontext_t parked, back;
static char *coroutine_stack;

static void park(void)
{
	swapcontext(&parked, &back);
}

static void coroutine(void)
{
	set(&mine->slow, version_of(around(5, park), 5));
}

static void do_park(void)
{
	coroutine_stack = malloc(STACK_SIZE);
	if (!coroutine_stack || getcontext(&parked))
		die("coroutine");
	parked.uc_stack.ss_sp = coroutine_stack;
	parked.uc_stack.ss_size = STACK_SIZE;
	parked.uc_link = &back;
	makecontext(&parked, coroutine, 0);
	swapcontext(&back, &parked);
}

static void do_clear(void)
{
	memset(coroutine_stack, 0, STACK_SIZE);
	memset(&parked, 0, sizeof(parked));
}

static void *short_thread(void *unused)
{
	/* Not counted: it may be its turn long after others have answered. */
	if (!version_of(answer(5), 5))
		add(&mine->wrong);
	return unused;
}

/*
 * Who is in an old version of around() calls no new version of answer(): all of
 * them switch at once, and nobody is in one meanwhile.
 */
static __thread uint64_t seen;

static void doze(void)
{
	struct timespec moment = { .tv_nsec = 100000 };

	nanosleep(&moment, NULL);
	seen = version_of(answer(5), 5);
}

/* As around(), but nobody replaces it. */
__attribute__((noipa)) static unsigned long without(unsigned long x,
						    void (*within)(void))
{
	within();
	return x * 8 + VERSIONS;
}

static void *doze_thread(void *unused)
{
	if (version_of(around(5, doze), 5) != seen)
		add(&mine->wrong);
	add(&stats->made);
	return unused;
}

static void *turn_thread(void *unused)
{
	for (;;) {
		doze_thread(NULL);
		without(5, doze);
	}
	return unused;
}

static void *come_thread(void *unused)
{
	pthread_t thread;

	for (;;) {
		errno = pthread_create(&thread, NULL, doze_thread, NULL);
		if (errno)
			die("pthread_create");
		pthread_join(thread, NULL);
		doze();
	}
	return unused;
}

static void *storm_thread(void *unused)
{
	pthread_t thread;

	for (;;) {
		errno = pthread_create(&thread, NULL, short_thread, NULL);
		if (errno)
			die("pthread_create");
		pthread_join(thread, NULL);
		add(&stats->made);
	}
	return unused;
}

/* Nobody patches a child: what it inherited stays as it is. */
static int short_child(void)
{
	uint64_t version = version_of(answer(5), 5);

	for (unsigned long x = 1; version && x < 100; x++)
		if (version_of(answer(x), x) != version)
			version = 0;
	return !version;
}

static void *breed_thread(void *unused)
{
	for (;;) {
		int status;
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			_exit(short_child());
		if (waitpid(pid, &status, 0) == pid && status)
			add(&mine->wrong);
		add(&stats->made);
	}
	return unused;
}

static void *vfork_thread(void *unused)
{
	pid_t pid = vfork();

	if (!pid) {
		/* Not pause(): that is one instruction from the parent's. */
		struct pollfd none = { .fd = -1 };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		poll(&none, 1, -1);
		_exit(0);
	}
	return unused;
}

static void be_child(uint64_t index)
{
	mine = &stats->process[index];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set(&mine->busy_count, 1);
	set(&mine->pid, getpid());
	be_busy(&mine->busy[0]);
}

static void do_fork(void)
{
	uint64_t index = stats->children + 1;

	if (index > CHILDREN_MAX)
		die("too many children");
	switch (fork()) {
	case -1:
		die("fork");
	case 0:
		be_child(index);
	}
	add(&stats->children);
}

/*
 * Of what it shares with its parent it touches nothing but the stats, and it
 * calls no library: there is no thread-local memory for it.
 */
static int spawned(void *data)
{
	struct process_stats *child = data;

	if (!orphan)
		syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	set(&child->pid, syscall(SYS_getpid));
	for (unsigned long x = 1;; x += 3) {
		uint64_t version = version_of(answer(x), x);

		if (version)
			add(&child->answers[version]);
		else
			add(&child->wrong);
		set(&child->busy[0].last, version);
		set(&child->busy[0].calls, x);
		rest();
	}
	return 0;
}

static void *map_thread(void *unused)
{
	for (;;) {
		char *at = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (at == MAP_FAILED)
			die("mmap");
		*at = 1;
		munmap(at, 16 * PAGE);
		add(&stats->made);
	}
	return unused;
}

static void do_maps(void)
{
	for (int i = 0; i < MAPPERS; i++)
		start(map_thread, NULL);
}

static void do_map(const char *name)
{
	int fd = open(name, O_RDONLY);

	if (fd < 0 || mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd,
			   0) == MAP_FAILED)
		die(name);
	close(fd);
}

static void do_spawn(void)
{
	uint64_t index = stats->children + 1;
	char *stack = malloc(STACK_SIZE);

	if (!stack || index > CHILDREN_MAX)
		die("spawn");
	set(&stats->process[index].busy_count, 1);
	if (clone(spawned, stack + STACK_SIZE, CLONE_VM | SIGCHLD,
		  &stats->process[index]) < 0)
		die("clone");
	add(&stats->children);
}

/* FILE, if the command is @name with one. */
static const char *file_of(char *line, const char *name)
{
	size_t length = strlen(name);

	if (strncmp(line, name, length) || line[length] != ' ')
		return NULL;
	line[strcspn(line, "\n")] = 0;
	return line + length + 1;
}

static void command(char *line)
{
	const char *file = file_of(line, "map");

	if (!strcmp(line, "slow\n"))
		start(slow_thread, NULL);
	else if (!strcmp(line, "shared\n"))
		do_shared();
	else if (!strcmp(line, "forget\n"))
		do_forget();
	else if (!strcmp(line, "split\n"))
		start(split_thread, NULL);
	else if (!strcmp(line, "withheld\n"))
		start(withheld_thread, NULL);
	else if (!strcmp(line, "beside\n"))
		do_beside();
	else if (!strcmp(line, "within\n"))
		start(within_thread, asleep_within);
	else if (!strcmp(line, "spin\n")) {
		make_spinning();
		start(within_thread, busy_within);
	} else if (!strcmp(line, "narrow\n")) {
		make_spinning();
		start(within_thread, narrow_within);
	} else if (!strcmp(line, "stop\n"))
		*spinning = 0;
	else if (!strcmp(line, "deep\n"))
		do_deep();
	else if (!strcmp(line, "handler\n"))
		start(handler_thread, NULL);
	else if (!strcmp(line, "aside\n"))
		start(aside_thread, NULL);
	else if (!strcmp(line, "disarm\n"))
		start(handler_thread, (void *)(uintptr_t)SS_AUTODISARM);
	else if (!strcmp(line, "nameless\n")) {
		nameless = 1;
		start(handler_thread, NULL);
	} else if (!strcmp(line, "park\n"))
		do_park();
	else if (!strcmp(line, "resume\n"))
		swapcontext(&back, &parked);
	else if (!strcmp(line, "clear\n"))
		do_clear();
	else if (!strcmp(line, "storm\n"))
		start(storm_thread, NULL);
	else if (!strcmp(line, "breed\n")) {
		signal(SIGCHLD, SIG_DFL);
		start(breed_thread, NULL);
	} else if (!strcmp(line, "turn\n"))
		start(turn_thread, NULL);
	else if (!strcmp(line, "come\n"))
		start(come_thread, NULL);
	else if (!strcmp(line, "vfork\n"))
		start(vfork_thread, NULL);
	else if (!strcmp(line, "fork\n"))
		do_fork();
	else if (!strcmp(line, "spawn\n"))
		do_spawn();
	else if (!strcmp(line, "orphan\n")) {
		orphan = 1;
		do_spawn();
	} else if (!strcmp(line, "maps\n"))
		do_maps();
	else if (!strcmp(line, "exec\n"))
		execlp("sleep", "sleep", "1000", NULL);
	else if (file)
		do_map(file);
	else if (!strcmp(line, "let\n") && write(wake[1], "", 1) != 1)
		die("wake");
	add(&stats->commands);
}

/* A strict filter for all threads: what they do, and nothing else. */
static void use_seccomp(void)
{
	static const int allowed[] = {
		SYS_read, SYS_write, SYS_futex, SYS_nanosleep,
		SYS_clock_nanosleep, SYS_poll, SYS_select, SYS_pselect6,
		SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_wait, SYS_accept, SYS_msgrcv, SYS_rt_sigtimedwait,
		SYS_restart_syscall, SYS_rt_sigreturn, SYS_exit,
		SYS_exit_group, SYS_msgctl,
	};
	struct sock_filter code[COUNT(allowed) + 3];
	struct sock_fprog program = { .len = COUNT(code), .filter = code };
	size_t n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < COUNT(allowed); i++)
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ |
				BPF_K, allowed[i], COUNT(allowed) - i, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						 SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						 SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_TSYNC, &program))
		die("seccomp");
}

static void on_term(int number)
{
	if (queue >= 0)
		msgctl(queue, IPC_RMID, NULL);
	_exit(0);
}

static void prepare(const char *file)
{
	/* An abstract address that the kernel chooses. */
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct sigaction usr1 = {
		.sa_handler = on_usr1,
		.sa_flags = SA_ONSTACK,
	};
	sigset_t set;
	int fd;

	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*stats)))
		die(file);
	stats = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (stats == MAP_FAILED)
		die("mmap");
	close(fd);
	mine = &stats->process[0];
	signal(SIGCHLD, SIG_IGN);
	signal(SIGTERM, on_term);
	sigaction(SIGUSR1, &usr1, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sem_init(&never, 0, 0);
	queue = msgget(IPC_PRIVATE, 0600);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (queue < 0 || listener < 0 ||
	    bind(listener, (struct sockaddr *)&address,
		 offsetof(struct sockaddr_un, sun_path)) ||
	    listen(listener, 1) || pipe2(quiet, O_CLOEXEC) ||
	    pipe2(wake, O_CLOEXEC))
		die("prepare");
}

int main(int argc, char **argv)
{
	long busy = 1, sleeping = 0, option;
	const char *file = NULL;
	int filter = 0;
	char line[64];

	while ((option = getopt(argc, argv, "s:b:z:S")) != -1) {
		switch (option) {
		case 's':
			file = optarg;
			break;
		case 'b':
			busy = atol(optarg);
			break;
		case 'z':
			sleeping = atol(optarg);
			break;
		case 'S':
			filter = 1;
			break;
		default:
			return 2;
		}
	}
	if (!file || busy > BUSY_MAX)
		return 2;
	prepare(file);
	set(&mine->busy_count, busy);
	rests = REST * (busy > 4 ? busy / 4 : 1);
	set(&mine->pid, getpid());
	for (long i = 0; i < sleeping; i++)
		start(sleeping_thread, (void *)(i % COUNT(sleeps)));
	for (long i = 0; i < busy; i++)
		start(busy_thread, &mine->busy[i]);
	while (filter && __atomic_load_n(&stats->ready, __ATOMIC_SEQ_CST) <
			 (uint64_t)(sleeping + busy))
		sched_yield();
	if (filter)
		use_seccomp();
	/* Unbuffered, for a child must not read what is the parent's. */
	setvbuf(stdin, NULL, _IONBF, 0);
	add(&stats->ready);
	while (fgets(line, sizeof(line), stdin))
		command(line);
	for (;;)
		in_nanosleep();
}
