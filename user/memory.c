// SPDX-License-Identifier: GPL-2.0
/* The memory of a process, read as a debugger reads it (stage 10). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

struct hpkm_memory *hpkm_memory_open(uint32_t pid)
{
	struct hpkm_memory *memory = calloc(1, sizeof(*memory));
	char path[64];

	if (!memory)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	memory->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (memory->fd >= 0)
		return memory;
	free(memory);
	return NULL;
}

void hpkm_memory_close(struct hpkm_memory *memory)
{
	if (!memory)
		return;
	if (memory->fd >= 0)
		close(memory->fd);
	free(memory);
}

static bool load_page(struct hpkm_memory *memory, uint64_t address,
		      uint8_t *page)
{
	ssize_t n;

	if (memory->read)
		n = memory->read(memory->data, page, HPKM_MEMORY_PAGE,
				 address);
	else
		n = pread(memory->fd, page, HPKM_MEMORY_PAGE, address);
	return n == HPKM_MEMORY_PAGE;
}

/* The page at a multiple of its size; NULL when it can't be read. */
static const uint8_t *page_at(struct hpkm_memory *memory, uint64_t address)
{
	size_t i = address / HPKM_MEMORY_PAGE % HPKM_MEMORY_PAGES;

	if (memory->at[i] == address + 1)
		return memory->page[i];
	memory->at[i] = 0;
	/* User addresses are positive as file offsets, too. */
	if (address > INT64_MAX - HPKM_MEMORY_PAGE ||
	    !load_page(memory, address, memory->page[i]))
		return NULL;
	memory->at[i] = address + 1;
	return memory->page[i];
}

bool hpkm_memory_read(struct hpkm_memory *memory, uint64_t address, void *to,
		      size_t size)
{
	while (size) {
		size_t skip = address % HPKM_MEMORY_PAGE;
		size_t part = HPKM_MEMORY_PAGE - skip;
		const uint8_t *page = page_at(memory, address - skip);

		if (!page)
			return false;
		if (part > size)
			part = size;
		memcpy(to, page + skip, part);
		to = (uint8_t *)to + part;
		address += part;
		size -= part;
	}
	return true;
}
