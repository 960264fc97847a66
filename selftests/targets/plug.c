// SPDX-License-Identifier: GPL-2.0
/*
 * A target that opens and closes the library whose functions are replaced.
 *
 *	plug -s STATS LIBRARY
 *
 * Standard input has commands, one a line:
 *	open	the library is opened, and called from then on
 *	close	it is called no more, and closed
 *	other	memory is mapped where it was, so that it goes elsewhere
 *	unmap	it is called no more, and what hpkm has mapped is unmapped
 *	protect	the library's text becomes unreadable and readable again
 *	copy	memory with a copy of the library's text is moved into its place,
 *		as programs do that want their text in huge pages
 *	write	what hpkm has mapped becomes writable, and is written
 *	move	what hpkm has mapped shall be moved: that must fail
 *	merge	all private memory may be merged with other pages (KSM), and is
 *		locked
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "load.h"

static struct stats *stats;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long (*function)(unsigned long x);
static void *library;
static void *base;

static void add(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

static void *caller(void *unused)
{
	struct process_stats *mine = &stats->process[0];

	for (unsigned long x = 1;; x++) {
		unsigned long version = 0;

		pthread_mutex_lock(&lock);
		if (function)
			version = function(x) - 8 * x;
		pthread_mutex_unlock(&lock);
		usleep(100);
		if (!version)
			continue;
		if (version < VERSIONS)
			add(&mine->answers[version]);
		else
			add(&mine->wrong);
		__atomic_store_n(&mine->busy[0].last, version,
				 __ATOMIC_SEQ_CST);
		__atomic_store_n(&mine->busy[0].calls, x, __ATOMIC_SEQ_CST);
	}
	return unused;
}

static int do_open(const char *name)
{
	struct link_map *map;

	library = dlopen(name, RTLD_NOW);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return -1;
	}
	dlinfo(library, RTLD_DI_LINKMAP, &map);
	base = (void *)map->l_addr;
	function = dlsym(library, "answer");
	return function ? 0 : -1;
}

/* Calls @each for every mapping whose line has @name in it. */
static int for_maps(const char *name, const char *flags,
		    int (*each)(char *start, size_t size))
{
	char line[512], is[8];
	unsigned long start, end;
	FILE *maps = fopen("/proc/self/maps", "r");
	int bad = 0;

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, is) == 3 &&
		    strstr(line, name) && strstr(is, flags))
			bad |= each((char *)start, end - start);
	}
	if (maps)
		fclose(maps);
	return bad;
}

/* The images and update tables that are mapped into this process. */
static int for_ours(int (*each)(char *start, size_t size))
{
	return for_maps("/hpkm:", "", each) |
	       for_maps("/hpkm-table", "", each);
}

static int unmap(char *start, size_t size)
{
	return munmap(start, size);
}

static int protect(char *start, size_t size)
{
	return mprotect(start, size, PROT_NONE) ||
	       mprotect(start, size, PROT_READ | PROT_EXEC);
}

static int copy(char *start, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -1;
	memcpy(at, start, size);
	return mprotect(at, size, PROT_READ | PROT_EXEC) ||
	       mremap(at, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, start) !=
	       start;
}

static int overwrite(char *start, size_t size)
{
	if (mprotect(start, size, PROT_READ | PROT_WRITE))
		return -1;
	memset(start, 0xcc, size);
	return 0;
}

static int move(char *start, size_t size)
{
	return mremap(start, size, 2 * size, MREMAP_MAYMOVE) != MAP_FAILED;
}

static int merge(char *start, size_t size)
{
	madvise(start, size, MADV_MERGEABLE);
	return 0;
}

static int command(const char *line, const char *name)
{
	if (!strcmp(line, "open\n"))
		return do_open(name);
	if (!strcmp(line, "other\n"))
		return mmap(base, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			    MAP_FIXED_NOREPLACE, -1, 0) != base;
	if (!strcmp(line, "protect\n"))
		return for_maps("libanswer", "x", protect);
	if (!strcmp(line, "copy\n"))
		return for_maps("libanswer", "x", copy);
	if (!strcmp(line, "move\n"))
		return for_ours(move);
	if (!strcmp(line, "merge\n"))
		return for_maps("", "p", merge) | mlockall(MCL_CURRENT);
	function = NULL;
	if (!strcmp(line, "close\n"))
		return dlclose(library);
	if (!strcmp(line, "unmap\n"))
		return for_ours(unmap);
	if (!strcmp(line, "write\n"))
		return for_ours(overwrite);
	return -1;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char line[64];
	int fd;

	if (argc != 4)
		return 2;
	fd = open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*stats)))
		return 1;
	stats = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (stats == MAP_FAILED)
		return 1;
	stats->process[0].busy_count = 1;
	pthread_create(&thread, NULL, caller, NULL);
	add(&stats->ready);
	while (fgets(line, sizeof(line), stdin)) {
		pthread_mutex_lock(&lock);
		if (command(line, argv[3]))
			return 1;
		pthread_mutex_unlock(&lock);
		add(&stats->commands);
	}
	pause();
}
