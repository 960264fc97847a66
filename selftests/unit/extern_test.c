// SPDX-License-Identifier: GPL-2.0
/*
 * What an extern is bound to, against what the dynamic linker of a live child
 * says.  Prints TAP.  The child is this program again: "extern_test child"
 * writes the addresses of the names it reads, then waits to be ended.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ifunc.h"
#include "linkmap.h"

extern char **environ;

static int tests, failures;

static void ok(int good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	failures += !good;
}

/* Functions, IFUNCs (with slots and without), in the vdso, data, ld.so's. */
static const struct {
	const char *name, *version;
} names[] = {
	{ "getppid", "" }, { "malloc", "" }, { "strlen", "" },
	{ "memcpy", "" }, { "memcpy", "GLIBC_2.2.5" }, { "strchr", "" },
	{ "strcmp", "" }, { "strstr", "" }, { "strncat", "" },
	{ "__memcpy_chk", "" }, { "time", "" }, { "gettimeofday", "" },
	{ "environ", "" }, { "stderr", "" }, { "__tls_get_addr", "" },
	{ "__errno_location", "" }, { "qsort", "GLIBC_2.2.5" }, { "sin", "" },
	{ "nobody_has_this", "" }, { "qsort", "NO_SUCH_VERSION" },
};

#define COUNT	(sizeof(names) / sizeof(*names))

static int child(void)
{
	for (size_t i = 0; i < COUNT; i++)
		printf("%llx\n", (unsigned long long)(uintptr_t)
		       (*names[i].version ?
			dlvsym(RTLD_DEFAULT, names[i].name, names[i].version) :
			dlsym(RTLD_DEFAULT, names[i].name)));
	fflush(stdout);
	pause();
	return 0;
}

/* 0: not found, or it can't be told. */
static uint64_t address(const struct hpkm_linkmap *map, const char *name,
			const char *version)
{
	struct hpkm_linkmap_symbol symbol;
	char why[256];

	for (size_t i = 0; i < map->object_count; i++) {
		const struct hpkm_linkmap_object *o = &map->objects[i];

		if (!o->global ||
		    !hpkm_linkmap_find(map, o, name, version, &symbol))
			continue;
		/* STT_GNU_IFUNC */
		if (symbol.type != 10)
			return o->bias + symbol.value;
		return hpkm_ifunc_resolve(map, o, name, &symbol, why,
					  sizeof(why));
	}
	return 0;
}

/* @tunables: for the child only; then what it alone shows has to do. */
static void compare(const char *self, const char *what, const char *tunables)
{
	char *argv[] = { (char *)self, "child", NULL }, line[64];
	struct hpkm_arena arena = { 0 };
	posix_spawn_file_actions_t actions;
	struct hpkm_linkmap map;
	int pipes[2], ret;
	pid_t pid;
	FILE *f;

	if (pipe(pipes))
		exit(1);
	if (tunables)
		setenv("GLIBC_TUNABLES", tunables, 1);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, pipes[0]);
	if (posix_spawn(&pid, self, &actions, NULL, argv, environ))
		exit(1);
	unsetenv("GLIBC_TUNABLES");
	close(pipes[1]);
	f = fdopen(pipes[0], "r");
	if (!f || !fgets(line, sizeof(line), f))
		exit(1);
	ret = hpkm_linkmap_read(&map, &arena, pid);
	ok(!ret && map.object_count > 2, what);
	for (size_t i = 0; i < COUNT; i++) {
		uint64_t want = strtoull(line, NULL, 16);
		uint64_t got = ret ? 0 : address(&map, names[i].name,
						 names[i].version);
		char text[128];

		snprintf(text, sizeof(text), "%s: %s%s%s", what, names[i].name,
			 *names[i].version ? "@" : "", names[i].version);
		/* Refused is right where nothing tells, wrong never is. */
		ok(got == want || (tunables && !got), text);
		if (got != want)
			printf("# %llx, not %llx\n", (unsigned long long)got,
			       (unsigned long long)want);
		/* It does not end its output, but waits. */
		if (i + 1 < COUNT && !fgets(line, sizeof(line), f))
			exit(1);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fclose(f);
	hpkm_linkmap_close(&map);
	hpkm_arena_free(&arena);
	posix_spawn_file_actions_destroy(&actions);
}

int main(int argc, char **argv)
{
	struct hpkm_arena arena = { 0 };
	struct hpkm_linkmap map;

	if (argc > 1)
		return child();
	compare("/proc/self/exe", "a process like this", NULL);
	compare("/proc/self/exe", "one of other tunables",
		"glibc.cpu.hwcaps=-AVX2_Usable,-AVX2,-ERMS");
	ok(hpkm_linkmap_read(&map, &arena, 0x7ffffffe) < 0,
	   "a process that is not there");
	hpkm_linkmap_close(&map);
	hpkm_arena_free(&arena);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
