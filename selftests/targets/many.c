// SPDX-License-Identifier: GPL-2.0
/*
 * many -s STATS -b BUSY: threads that call many functions one after the other.
 * All of them switch at once, so in one pass the version may change once, and
 * only from what it was in the last call.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "load.h"
#include "many.h"

static struct stats *stats;

static void add(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

static void pass(struct process_stats *p, struct busy_stats *busy,
		 unsigned long x)
{
	uint64_t last = 0, changes = 0;

	for (unsigned int i = 0; i < many_count; i++) {
		unsigned long version = many[i](x) - (x ^ i) * 8;

		if (!version || version >= VERSIONS) {
			add(&p->wrong);
			continue;
		}
		if (last && version != last)
			changes++;
		last = version;
	}
	if (changes > 1)
		add(&p->wrong);
	add(&p->answers[last]);
	__atomic_store_n(&busy->last, last, __ATOMIC_SEQ_CST);
	__atomic_store_n(&busy->calls, x, __ATOMIC_SEQ_CST);
}

static void *busy_thread(void *data)
{
	add(&stats->ready);
	for (unsigned long x = 1;; x += 3)
		pass(&stats->process[0], data, x);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int fd, busy;

	if (argc != 5)
		return 2;
	busy = atoi(argv[4]);
	fd = open(argv[2], O_RDWR | O_CREAT, 0600);
	if (fd < 0 || busy > BUSY_MAX || ftruncate(fd, sizeof(*stats)))
		return 1;
	stats = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (stats == MAP_FAILED)
		return 1;
	stats->process[0].busy_count = busy;
	for (int i = 0; i < busy; i++)
		pthread_create(&thread, NULL, busy_thread,
			       &stats->process[0].busy[i]);
	add(&stats->ready);
	for (;;)
		pause();
}
