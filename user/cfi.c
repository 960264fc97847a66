// SPDX-License-Identifier: GPL-2.0
/*
 * Call frame information of the files that a process runs (stage 10).
 *
 * libdw reads it: .eh_frame, and .debug_frame where there is none.  What it
 * reads was written by whoever made the process, so this runs in a child
 * without privileges (confine.c).
 */
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfi.h"

/* The vDSO takes two pages; there is room for it to grow. */
#define VDSO_MAX	(64 << 10)

/* Executable memory, and what it is mapped from. */
struct code {
	uint64_t start, end;
	uint64_t offset;	/* in the file */
	char *name;
	int fd;			/* -1: none, or it can't be opened */
	bool parsed;
	void *image;		/* a copy of the vDSO */
	Elf *elf;
	Dwarf *dwarf;
	Dwarf_CFI *eh_frame, *debug_frame;
	uint64_t bias;		/* of addresses to those in the file */
};

struct hpkm_cfi {
	struct code *codes;	/* by address */
	size_t count;
};

static int open_file(uint32_t pid, uint64_t start, uint64_t end)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%u/map_files/%lx-%lx", pid,
		 (unsigned long)start, (unsigned long)end);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool add_code(struct hpkm_cfi *cfi, uint32_t pid, const char *line)
{
	unsigned long start, end, offset, inode;
	struct code *codes;
	char modes[5];
	int name = 0;

	if (sscanf(line, "%lx-%lx %4s %lx %*s %lu %n", &start, &end, modes,
		   &offset, &inode, &name) < 5 || modes[2] != 'x')
		return true;
	codes = reallocarray(cfi->codes, cfi->count + 1, sizeof(*codes));
	if (!codes)
		return false;
	cfi->codes = codes;
	codes[cfi->count++] = (struct code){
		.start = start,
		.end = end,
		.offset = offset,
		.name = strndup(line + name, strcspn(line + name, "\n")),
		.fd = inode ? open_file(pid, start, end) : -1,
	};
	return true;
}

struct hpkm_cfi *hpkm_cfi_open(uint32_t pid)
{
	struct hpkm_cfi *cfi = calloc(1, sizeof(*cfi));
	char path[64], *line = NULL;
	size_t size = 0;
	bool good = true;
	FILE *maps;

	if (!cfi)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps = fopen(path, "re");
	if (!maps) {
		free(cfi);
		return NULL;
	}
	while (good && getline(&line, &size, maps) > 0)
		good = add_code(cfi, pid, line);
	free(line);
	fclose(maps);
	if (good)
		return cfi;
	hpkm_cfi_close(cfi);
	return NULL;
}

static void close_code(struct code *code)
{
	/* That of .debug_frame goes with the Dwarf. */
	if (code->eh_frame)
		dwarf_cfi_end(code->eh_frame);
	if (code->dwarf)
		dwarf_end(code->dwarf);
	elf_end(code->elf);
	free(code->image);
	free(code->name);
	if (code->fd >= 0)
		close(code->fd);
}

void hpkm_cfi_close(struct hpkm_cfi *cfi)
{
	if (!cfi)
		return;
	for (size_t i = 0; i < cfi->count; i++)
		close_code(&cfi->codes[i]);
	free(cfi->codes);
	free(cfi);
}

/* Which of the file's addresses is mapped at the start? */
static bool find_bias(struct code *code)
{
	bool found = false;
	size_t count;

	if (elf_getphdrnum(code->elf, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		uint64_t bias, page;
		GElf_Phdr phdr;

		if (!gelf_getphdr(code->elf, i, &phdr))
			return false;
		/* The kernel maps whole pages. */
		page = phdr.p_offset & -(uint64_t)HPKM_MEMORY_PAGE;
		if (phdr.p_type != PT_LOAD || !(phdr.p_flags & PF_X) ||
		    code->offset < page ||
		    code->offset - page >= phdr.p_offset - page + phdr.p_filesz)
			continue;
		bias = code->start - (phdr.p_vaddr +
				      (code->offset - phdr.p_offset));
		if (found && bias != code->bias)
			return false;
		code->bias = bias;
		found = true;
	}
	return found;
}

/* The vDSO has no file: its image is in memory, as it is. */
static Elf *copy_vdso(struct code *code, struct hpkm_memory *memory)
{
	size_t size = code->end - code->start;

	if (!code->name || strcmp(code->name, "[vdso]") || size > VDSO_MAX)
		return NULL;
	code->image = malloc(size);
	if (!code->image ||
	    !hpkm_memory_read(memory, code->start, code->image, size))
		return NULL;
	return elf_memory(code->image, size);
}

static void parse(struct code *code, struct hpkm_memory *memory)
{
	GElf_Ehdr header;

	code->parsed = true;
	elf_version(EV_CURRENT);
	if (code->fd >= 0)
		code->elf = elf_begin(code->fd, ELF_C_READ_MMAP, NULL);
	else
		code->elf = copy_vdso(code, memory);
	if (!code->elf || elf_kind(code->elf) != ELF_K_ELF ||
	    gelf_getclass(code->elf) != ELFCLASS64 ||
	    !gelf_getehdr(code->elf, &header) || !find_bias(code))
		return;
	code->eh_frame = dwarf_getcfi_elf(code->elf);
	code->dwarf = dwarf_begin_elf(code->elf, DWARF_C_READ, NULL);
	if (code->dwarf)
		code->debug_frame = dwarf_getcfi(code->dwarf);
}

static struct code *find_code(const struct hpkm_cfi *cfi, uint64_t address)
{
	size_t low = 0, high = cfi->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (cfi->codes[mid].end <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == cfi->count || cfi->codes[low].start > address)
		return NULL;
	return &cfi->codes[low];
}

Dwarf_Frame *hpkm_cfi_find(struct hpkm_cfi *cfi, struct hpkm_memory *memory,
			   uint64_t address)
{
	struct code *code = find_code(cfi, address);
	Dwarf_Frame *frame = NULL;

	if (!code)
		return NULL;
	if (!code->parsed)
		parse(code, memory);
	address -= code->bias;
	if (code->eh_frame &&
	    !dwarf_cfi_addrframe(code->eh_frame, address, &frame))
		return frame;
	frame = NULL;
	if (code->debug_frame &&
	    !dwarf_cfi_addrframe(code->debug_frame, address, &frame))
		return frame;
	return NULL;
}

const char *hpkm_cfi_name(const struct hpkm_cfi *cfi, uint64_t address)
{
	const struct code *code = find_code(cfi, address);

	return code && code->name ? code->name : "";
}
