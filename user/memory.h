/* SPDX-License-Identifier: GPL-2.0 */
/* The memory of a process, read as a debugger reads it (stage 10). */
#ifndef HPKM_MEMORY_H
#define HPKM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HPKM_MEMORY_PAGE	4096
#define HPKM_MEMORY_PAGES	64

/* A stack is read upwards, a word at a time: pages are kept. */
struct hpkm_memory {
	int fd;			/* /proc/PID/mem */
	/* In place of the file, for tests: like pread(). */
	ssize_t (*read)(void *data, void *to, size_t size, uint64_t address);
	void *data;
	uint64_t at[HPKM_MEMORY_PAGES];	/* address of each page + 1; 0: none */
	uint8_t page[HPKM_MEMORY_PAGES][HPKM_MEMORY_PAGE];
};

/* Return: allocated; NULL with errno set. */
struct hpkm_memory *hpkm_memory_open(uint32_t pid);
void hpkm_memory_close(struct hpkm_memory *memory);

/* All of it, or false. */
bool hpkm_memory_read(struct hpkm_memory *memory, uint64_t address, void *to,
		      size_t size);

#endif /* HPKM_MEMORY_H */
