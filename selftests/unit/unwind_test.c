// SPDX-License-Identifier: GPL-2.0
/*
 * Words on stacks: processes (unwind_target.c) that sleep with addresses of
 * old code on their stacks are stopped by ptrace, in place of the kernel's
 * question, and judged.  Also DWARF expressions, and the child that does it.
 * Prints TAP.
 *
 *	unwind_test TARGET
 */
#include <dirent.h>
#include <dwarf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/hpkm.h>

#include "confine.h"
#include "doubt.h"
#include "expression.h"
#include "process.h"
#include "stale.h"

#define ALL_STALE	(1U << HPKM_WORD_STALE)
#define SEEN(verdict)	(1U << HPKM_WORD_##verdict)

static int tests, failures;

static bool ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	fflush(stdout);
	failures += !good;
	return good;
}

/* A target that is asleep. */
struct target {
	pid_t pid, tid;
	uint64_t old, old_end;
};

static bool start(struct target *t, const char *program, const char *name)
{
	FILE *from;
	int ends[2];
	bool good;

	*t = (struct target){ .pid = -1 };
	if (pipe2(ends, O_CLOEXEC))
		return false;
	t->pid = fork();
	if (!t->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		execl(program, program, name, NULL);
		_exit(127);
	}
	close(ends[1]);
	from = fdopen(ends[0], "r");
	good = fscanf(from, "%lx %lx %d", &t->old, &t->old_end, &t->tid) == 3;
	fclose(from);
	/* Until it is in the system call. */
	while (good && hpkm_process_state(t->tid) != 'S')
		usleep(1000);
	return good;
}

static void stop(struct target *t)
{
	kill(t->pid, SIGKILL);
	/* A thread that is traced has to be waited for, too. */
	if (t->tid != t->pid)
		waitpid(t->tid, NULL, __WALL);
	waitpid(t->pid, NULL, 0);
}

/* Where the mapping that has this address ends. */
static uint64_t mapping_end(pid_t pid, uint64_t address)
{
	unsigned long first, end, found = 0;
	char path[64], line[4096];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &first, &end) == 2 &&
		    address >= first && address < end)
			found = end;
	fclose(maps);
	return found;
}

/* Every word from sp to the end of the stack that is in old code. */
static void add_words(const struct target *t, struct hpkm_doubt *doubt,
		      uint64_t sp)
{
	struct hpkm_memory *memory = hpkm_memory_open(t->pid);
	uint64_t end = mapping_end(t->pid, sp), value;

	for (; sp < end && doubt->words.count < HPKM_VERDICT_WORDS;
	     sp += sizeof(value)) {
		struct hpkm_word *word;

		if (!hpkm_memory_read(memory, sp, &value, sizeof(value)) ||
		    value <= t->old || value >= t->old_end)
			continue;
		word = hpkm_list_add(&doubt->words, &hpkm_word_record);
		word->address = sp;
		word->value = value;
	}
	hpkm_memory_close(memory);
}

/* Stop it, as it sleeps, and ask what the kernel would. */
static bool ask(const struct target *t, struct hpkm_doubt *doubt)
{
	struct user_regs_struct r;

	*doubt = (struct hpkm_doubt){ .pid = t->pid, .tid = t->tid };
	if (ptrace(PTRACE_SEIZE, t->tid, NULL, NULL) ||
	    ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL) ||
	    waitpid(t->tid, NULL, __WALL) != t->tid ||
	    ptrace(PTRACE_GETREGS, t->tid, NULL, &r))
		return false;
	doubt->sp = r.rsp;
	doubt->registers = (struct hpkm_numbers){
		.count = 17,
		.value = { r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp,
			   r.rsp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13,
			   r.r14, r.r15, r.rip },
	};
	add_words(t, doubt, r.rsp);
	return true;
}

/* The verdicts that there are, as bits; the reason why unwinding ended. */
static unsigned int judge(const struct target *t,
			  const struct hpkm_doubt *doubt,
			  struct hpkm_stack_verdict *verdict)
{
	struct hpkm_memory *memory = hpkm_memory_open(t->pid);
	struct hpkm_cfi *cfi = hpkm_cfi_open(t->pid);
	unsigned int seen = 0;

	hpkm_stale_judge(memory, cfi, doubt, verdict);
	for (size_t i = 0; i < doubt->words.count; i++)
		seen |= 1U << verdict->words[i];
	hpkm_cfi_close(cfi);
	hpkm_memory_close(memory);
	return seen;
}

/* Exactly these verdicts have to come of the words on its stack. */
static void check(const char *program, const char *name, unsigned int want,
		  const char *text)
{
	struct hpkm_stack_verdict verdict = { .pc = 0 };
	struct hpkm_doubt doubt = { .pid = 0 };
	unsigned int seen = 0;
	struct target t;
	bool good;

	good = start(&t, program, name) && ask(&t, &doubt);
	if (good)
		seen = judge(&t, &doubt, &verdict);
	if (!ok(good && seen == want, text))
		printf("# %zu words, verdicts %#x, not %#x; ended at %#lx %s\n",
		       doubt.words.count, seen, want, verdict.pc,
		       verdict.where);
	hpkm_reply_clear(&hpkm_doubt_record, &doubt);
	stop(&t);
}

static void copy(const char *from, const char *to)
{
	char command[8192];

	snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
	if (system(command))
		exit(1);
}

/* Its file is gone, and another stands in its place. */
static void check_deleted(const char *program)
{
	struct hpkm_stack_verdict verdict = { .pc = 0 };
	char name[] = "/tmp/hpkm-unwind.XXXXXX", path[64];
	struct hpkm_doubt doubt = { .pid = 0 };
	unsigned int seen = 0;
	struct target t;
	bool good;

	if (!mkdtemp(name))
		exit(1);
	snprintf(path, sizeof(path), "%s/target", name);
	copy(program, path);
	good = start(&t, path, "stale");
	unlink(path);
	copy("/bin/true", path);
	good = good && ask(&t, &doubt);
	if (good)
		seen = judge(&t, &doubt, &verdict);
	ok(good && seen == ALL_STALE,
	   "of a file that was deleted and replaced");
	hpkm_reply_clear(&hpkm_doubt_record, &doubt);
	stop(&t);
	unlink(path);
	rmdir(name);
}

/* Through the child, as hpkm-apply does it. */
static void check_settle(const char *program)
{
	struct hpkm_list doubts = { 0 };
	struct hpkm_doubt *doubt;
	struct hpkm_word *words;
	struct target t;
	size_t i;

	doubt = hpkm_list_add(&doubts, &hpkm_doubt_record);
	if (!ok(start(&t, program, "both") && ask(&t, doubt), "a question"))
		return;
	ok(!hpkm_process_switches(t.pid, t.tid, &doubt->switches),
	   "context switches of a thread");
	hpkm_doubts_settle(&doubts);
	words = doubt->words.items;
	for (i = 0; i < doubt->words.count && words[i].stale; i++)
		;
	ok(doubt->words.count > 1 && i < doubt->words.count,
	   "settled: one word counts");
	for (i = 0; i < doubt->words.count && !words[i].stale; i++)
		;
	ok(i < doubt->words.count, "another one does not");
	ok(doubt->why && strstr(doubt->why, "returns there"), "with a reason");

	/* A word is not stale because it was before. */
	free(doubt->why);
	doubt->why = NULL;
	for (i = 0; i < doubt->words.count; i++)
		words[i].stale = false;
	doubt->switches--;
	hpkm_doubts_settle(&doubts);
	for (i = 0; i < doubt->words.count && !words[i].stale; i++)
		;
	ok(i == doubt->words.count, "a thread that ran since: nothing is said");
	hpkm_list_clear(&doubts, &hpkm_doubt_record);
	stop(&t);
}

/* Registers that are not those of the thread must lead to no answer. */
static void check_hostile(const char *program)
{
	static const uint64_t values[] = { 0, 1, 8, UINT64_MAX, 1UL << 47,
					   0x7fffffffffffffff, 0xdead0000 };
	struct hpkm_stack_verdict verdict;
	struct hpkm_doubt doubt;
	bool good = true;
	struct target t;

	if (!ok(start(&t, program, "stale") && ask(&t, &doubt),
		"a thread asleep"))
		return;
	for (unsigned int r = 0; r < 17; r++) {
		uint64_t real = doubt.registers.value[r];

		for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
			doubt.registers.value[r] = values[i];
			if (r == 7)
				doubt.sp = values[i];
			if ((r == 7 || r == 16) &&
			    judge(&t, &doubt, &verdict) & ALL_STALE)
				good = false;
		}
		doubt.registers.value[r] = real;
		doubt.sp = doubt.registers.value[7];
	}
	ok(good, "a wrong stack or instruction pointer: nothing is said");
	doubt.sp += 8;
	ok(!(judge(&t, &doubt, &verdict) & ALL_STALE),
	   "stack pointers that differ: nothing is said");
	doubt.sp -= 8;
	doubt.registers.count = 16;
	ok(!(judge(&t, &doubt, &verdict) & ALL_STALE),
	   "a register is missing: nothing is said");
	hpkm_reply_clear(&hpkm_doubt_record, &doubt);
	stop(&t);
}

/* Expressions */

static ssize_t read_table(void *data, void *to, size_t size, uint64_t address)
{
	if (address != 0x10000)
		return -1;
	memset(to, 0, size);
	memcpy(to, data, 16);
	return size;
}

#define OPS(...)	(const Dwarf_Op[]){ __VA_ARGS__ },		\
	sizeof((const Dwarf_Op[]){ __VA_ARGS__ }) / sizeof(Dwarf_Op)
#define OP(name, ...)	{ .atom = DW_OP_##name, .number = __VA_ARGS__ }

static bool evaluate(const Dwarf_Op *ops, size_t count, uint64_t *value)
{
	static uint64_t table[2] = { 0x1122334455667788, 42 };
	struct hpkm_memory *memory = calloc(1, sizeof(*memory));
	struct hpkm_registers registers = {
		.known = 1 << 7 | 1 << 16,
		.value = { [7] = 0x10000, [16] = 0x2003 },
	};
	struct hpkm_scope scope = {
		.memory = memory,
		.registers = &registers,
		.has_cfa = true,
		.cfa = 0x9000,
	};
	struct hpkm_result result;
	bool good;

	memory->fd = -1;
	memory->read = read_table;
	memory->data = table;
	good = hpkm_expression(&scope, ops, count, &result);
	*value = result.value;
	hpkm_memory_close(memory);
	return good;
}

static void check_expressions(void)
{
	Dwarf_Op many[200];
	uint64_t value;

	ok(evaluate(OPS(OP(bregx, 7, .number2 = 8)), &value) &&
	   value == 0x10008, "register and offset");
	/* That of a PLT entry: rsp + 8 + ((rip & 15) >= 11) * 8 */
	ok(evaluate(OPS(OP(breg7, 8), OP(breg16, 0), OP(lit15, 0),
			OP(and, 0), OP(lit11, 0), OP(ge, 0), OP(lit3, 0),
			OP(shl, 0), OP(plus, 0)), &value) &&
	   value == 0x10008, "a PLT entry's");
	ok(evaluate(OPS(OP(breg7, 8), OP(deref, 0)), &value) && value == 42,
	   "memory");
	ok(evaluate(OPS(OP(breg7, 0), OP(deref_size, 2)), &value) &&
	   value == 0x7788, "a part of a word");
	ok(evaluate(OPS(OP(call_frame_cfa, 0), OP(plus_uconst, -16)), &value) &&
	   value == 0x8ff0, "below the frame's address");
	ok(evaluate(OPS(OP(lit1, 0), OP(lit2, 0), OP(swap, 0), OP(minus, 0)),
		    &value) && value == 1, "values change places");
	ok(!evaluate(OPS(OP(breg3, 0)), &value), "a register that is unknown");
	ok(!evaluate(OPS(OP(bregx, 1000)), &value), "one that there is not");
	ok(!evaluate(OPS(OP(lit1, 0), OP(plus, 0)), &value), "a value too few");
	ok(!evaluate(OPS(OP(pick, 1UL << 40)), &value), "one far below");
	ok(!evaluate(NULL, 0, &value), "no operation");
	ok(!evaluate(OPS(OP(lit0, 0), OP(deref, 0)), &value),
	   "memory that can't be read");
	ok(!evaluate(OPS(OP(breg7, 0), OP(deref_size, 200)), &value),
	   "a word that is too large");
	ok(!evaluate(OPS(OP(lit0, 0), OP(skip, 0)), &value), "a jump");
	for (size_t i = 0; i < 200; i++)
		many[i] = (Dwarf_Op){ .atom = DW_OP_lit1 };
	ok(!evaluate(many, 200, &value), "too many values");
}

/* The child */

static bool open_nothing(void *data)
{
	return true;
}

struct place {
	uid_t uid;
	unsigned int fds;
	unsigned long capabilities;
	bool may_open;
};

static void look_around(void *data, int out)
{
	struct place place = { .uid = geteuid() };
	char line[256];
	FILE *status;
	struct stat st;

	for (int fd = 0; fd < 256; fd++)
		place.fds += fd > 2 && !fstat(fd, &st);
	place.may_open = !access("/proc/1/mem", R_OK);
	status = fopen("/proc/self/status", "r");
	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "CapPrm: %lx", &place.capabilities);
	if (write(out, &place, sizeof(place)) < 0)
		_exit(1);
}

static void crash(void *data, int out)
{
	if (write(out, "half", 4) == 4)
		raise(SIGKILL);
}

static void hang(void *data, int out)
{
	for (;;)
		;
}

static void check_child(void)
{
	struct hpkm_confined work = { .open = open_nothing };
	struct timespec from, to;
	struct place place;
	char bytes[8];
	int fd;

	fd = open("/dev/null", O_RDONLY);
	work.work = look_around;
	ok(hpkm_confine(&work, &place, sizeof(place), 5000) == sizeof(place),
	   "an answer of a child");
	ok(place.uid && !place.capabilities && !place.may_open,
	   "which has no privileges");
	ok(place.fds == 1, "and no descriptor but its pipe");
	close(fd);
	work.work = crash;
	ok(hpkm_confine(&work, bytes, sizeof(bytes), 5000) == 4,
	   "a child that dies: what came is told");
	work.work = hang;
	clock_gettime(CLOCK_MONOTONIC, &from);
	ok(!hpkm_confine(&work, bytes, sizeof(bytes), 100),
	   "a child that hangs is ended");
	clock_gettime(CLOCK_MONOTONIC, &to);
	ok(to.tv_sec - from.tv_sec < 5, "in time");
	ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD,
	   "nothing is left of it");
}

int main(int argc, char **argv)
{
	const char *program = argv[1];

	if (argc != 2)
		return 2;
	printf("TAP version 13\n");
	check(program, "stale", ALL_STALE, "stale words");
	check(program, "deep", ALL_STALE, "stale words below 10,000 frames");
	check(program, "live", SEEN(RETURNS), "a call under way");
	check(program, "both", ALL_STALE | SEEN(RETURNS), "both on one stack");
	check(program, "parked", SEEN(PARKED), "a parked context");
	check(program, "on-stack", SEEN(PARKED),
	      "a coroutine whose stack is part of this one");
	check(program, "large", SEEN(IN_LARGE), "stale words in a large array");
	check(program, "in-handler", SEEN(RETURNS) | ALL_STALE,
	      "a signal handler, from within old code");
	check(program, "at-first", SEEN(RETURNS) | ALL_STALE,
	      "one that interrupted a first instruction");
	check(program, "on-alternate", SEEN(RETURNS),
	      "one on an alternate stack");
	check(program, "label", SEEN(NO_RETURN), "the address of a label");
	check(program, "without", SEEN(UNKNOWN),
	      "a frame without call frame information");
	check(program, "thread", SEEN(OUTSIDE) | ALL_STALE,
	      "a thread, and its thread-local memory");
	check_deleted(program);
	check_settle(program);
	check_hostile(program);
	check_expressions();
	check_child();
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
