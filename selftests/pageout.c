// SPDX-License-Identifier: GPL-2.0
/*
 * pageout PID: put the private memory of a process out to swap, and drop what
 * is on file. It need not succeed for each page.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

int main(int argc, char **argv)
{
	unsigned long start, end, done = 0;
	char name[64], line[512];
	FILE *maps;
	int pid, fd;

	if (argc != 2)
		return 2;
	pid = atoi(argv[1]);
	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	maps = fopen(name, "r");
	fd = syscall(SYS_pidfd_open, pid, 0);
	if (!maps || fd < 0) {
		perror(name);
		return 1;
	}
	while (fgets(line, sizeof(line), maps)) {
		struct iovec range;

		if (sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		range.iov_base = (void *)start;
		range.iov_len = end - start;
		if (syscall(SYS_process_madvise, fd, &range, 1, MADV_PAGEOUT,
			    0) > 0)
			done++;
	}
	if (!done)
		perror("process_madvise");
	return !done;
}
