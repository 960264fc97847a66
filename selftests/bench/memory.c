// SPDX-License-Identifier: GPL-2.0
/*
 * memory TARGET IMAGE REPETITIONS PROCESSES: what does a patch cost in memory?
 *
 * Before and after it is applied to all processes, and has run in all of them,
 * is read: what each process has for itself and shares (smaps_rollup), what of
 * that are the patch's own mappings (smaps), and the kernel's own memory
 * (meminfo).  Each repetition has new processes, for what was private once
 * stays so.  The first one is a warm-up of the kernel: what it allocates once,
 * on first use, stays.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "patcher.h"
#include "subject.h"

/* kB */
struct memory {
	uint64_t private, shared, rss, pss;	/* of the first process */
	uint64_t all_private, all_pss;		/* of all of them */
	uint64_t slab, vmalloc, shmem, tables;	/* of the kernel */
};

static void read_process(pid_t pid, struct memory *m)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	m->private = bench_proc(path, "Private_Clean") +
		     bench_proc(path, "Private_Dirty");
	m->shared = bench_proc(path, "Shared_Clean") +
		    bench_proc(path, "Shared_Dirty");
	m->rss = bench_proc(path, "Rss");
	m->pss = bench_proc(path, "Pss");
	m->all_private += m->private;
	m->all_pss += m->pss;
}

/* What can be given back is given back, behind a grace period. */
static void settle(void)
{
	int fd;

	sync();
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "3", 1) != 1)
		bench_die("drop_caches");
	close(fd);
	usleep(300000);
}

static void read_all(struct subject *subject, struct memory *m)
{
	memset(m, 0, sizeof(*m));
	settle();
	m->slab = bench_proc("/proc/meminfo", "SUnreclaim");
	m->vmalloc = bench_proc("/proc/meminfo", "VmallocUsed");
	m->shmem = bench_proc("/proc/meminfo", "Shmem");
	m->tables = bench_proc("/proc/meminfo", "PageTables");
	for (int i = subject->processes; i-- > 0;)
		read_process(subject->control->pid[i], m);
}

/* Private and shared kB of the mappings that are named after a patch. */
static void read_own(pid_t pid, uint64_t *private, uint64_t *shared)
{
	char path[64], line[512];
	unsigned long long kb;
	int ours = 0;
	FILE *file;

	*private = 0;
	*shared = 0;
	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	file = fopen(path, "re");
	if (!file)
		bench_die("%s", path);
	while (fgets(line, sizeof(line), file)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			ours = !!strstr(line, "hpkm");
		else if (ours && sscanf(line, "Private_%*[a-zA-Z]: %llu",
					&kb) == 1)
			*private += kb;
		else if (ours && sscanf(line, "Shared_%*[a-zA-Z]: %llu",
					&kb) == 1)
			*shared += kb;
	}
	fclose(file);
}

static long long grown(uint64_t before, uint64_t after)
{
	return (long long)after - (long long)before;
}

static void measure(struct subject *subject, struct patcher *patcher,
		    int repetition)
{
	struct patcher_figures figures;
	struct memory before, after;
	uint64_t private, shared;

	if (subject_version(subject) != 1)
		bench_die("another version runs");
	read_all(subject, &before);
	patcher_apply(patcher, 0, 0, &figures);
	if (subject_version(subject) != 2)
		bench_die("the patch does not run everywhere");
	read_all(subject, &after);
	read_own(subject->pid, &private, &shared);
	patcher_revert(patcher, 0, 0, &figures);
	if (!repetition)
		return;
#define GROWN(what) grown(before.what, after.what)
	bench_sample("\"part\": \"memory\", \"rep\": %d, \"processes\": %d, "
		     "\"functions\": %llu, \"private_kb\": %lld, "
		     "\"shared_kb\": %lld, \"rss_kb\": %lld, "
		     "\"own_private_kb\": %llu, \"own_shared_kb\": %llu, "
		     "\"all_private_kb\": %lld, \"all_pss_kb\": %lld, "
		     "\"slab_kb\": %lld, \"vmalloc_kb\": %lld, "
		     "\"shmem_kb\": %lld, \"tables_kb\": %lld, "
		     "\"image_bytes\": %zu", repetition, subject->processes,
		     (unsigned long long)subject->control->functions,
		     GROWN(private), GROWN(shared), GROWN(rss),
		     (unsigned long long)private, (unsigned long long)shared,
		     GROWN(all_private), GROWN(all_pss), GROWN(slab),
		     GROWN(vmalloc), GROWN(shmem), GROWN(tables),
		     patcher->size);
#undef GROWN
}

int main(int argc, char **argv)
{
	struct subject_shape shape = { 0 };
	struct patcher patcher;
	struct subject subject;

	if (argc != 5)
		return 2;
	shape.processes = atoi(argv[4]);
	for (int i = 0; i <= atoi(argv[3]); i++) {
		subject_start(&subject, argv[1], &shape);
		patcher_open(&patcher, argv[2]);
		measure(&subject, &patcher, i);
		patcher_close(&patcher);
		subject_end(&subject);
	}
	return 0;
}
