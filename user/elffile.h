/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ELF files as hpkm-build reads them: 64-bit, little-endian, wholly in memory,
 * every offset checked when the file is opened.  Before stage 2.
 */
#ifndef HPKM_ELFFILE_H
#define HPKM_ELFFILE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

/* Where a symbol is, beside the index of a section. */
enum {
	HPKM_SECTION_UNDEF	= 0,
	HPKM_SECTION_ABS	= UINT32_MAX,
	HPKM_SECTION_COMMON	= UINT32_MAX - 1,
	HPKM_SECTION_OTHER	= UINT32_MAX - 2,
};

struct hpkm_elf_reloc {
	uint64_t offset;
	uint32_t type;
	uint32_t symbol;
	int64_t addend;
};

struct hpkm_elf_symbol {
	const char *name;
	const char *file;	/* of the STT_FILE before it, or NULL */
	uint64_t value;
	uint64_t size;
	uint32_t section;	/* index, or HPKM_SECTION_* */
	uint8_t type, bind, visibility;
};

struct hpkm_elf_section {
	const char *name;
	const uint8_t *data;	/* NULL where the file has none */
	uint64_t flags, addr, size, align, entsize;
	uint32_t type, link, info;
	/* ET_REL: of the section's SHT_RELA, in ascending offsets. */
	struct hpkm_elf_reloc *relocs;
	size_t reloc_count;
};

struct hpkm_elf_symtab {
	struct hpkm_elf_symbol *symbols;
	size_t count;
};

struct hpkm_elf {
	const char *path;
	const uint8_t *bytes;
	size_t size;
	uint16_t type, machine;
	struct hpkm_elf_section *sections;
	size_t section_count;
	Elf64_Phdr *segments;
	size_t segment_count;
	struct hpkm_elf_symtab symtab, dynsym;
};

/*
 * Both return 0, or -1 after a message.  The bytes given to parse must outlive
 * the struct; they are only read.
 */
int hpkm_elf_open(struct hpkm_arena *arena, struct hpkm_elf *elf,
		  const char *path);
int hpkm_elf_parse(struct hpkm_arena *arena, struct hpkm_elf *elf,
		   const char *path, uint8_t *bytes, size_t size);

struct hpkm_elf_section *hpkm_elf_section(const struct hpkm_elf *elf,
					  const char *name);
/*
 * The bytes of the file that are mapped at a virtual address, NULL unless all
 * @size of them come from one segment's file content.
 */
const uint8_t *hpkm_elf_at(const struct hpkm_elf *elf, uint64_t addr,
			   uint64_t size);
/* Looks in memory for the note; returns its descriptor or NULL. */
const uint8_t *hpkm_elf_build_id(const struct hpkm_elf *elf, size_t *size,
				 uint64_t *addr);

/* Reads a whole file; NULL after a message.  Freed with the arena. */
uint8_t *hpkm_file_read(struct hpkm_arena *arena, const char *path,
			size_t *size);

static inline uint32_t hpkm_get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t hpkm_get64(const uint8_t *p)
{
	return hpkm_get32(p) | (uint64_t)hpkm_get32(p + 4) << 32;
}

static inline void hpkm_put32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++, value >>= 8)
		p[i] = value;
}

static inline void hpkm_put64(uint8_t *p, uint64_t value)
{
	hpkm_put32(p, value);
	hpkm_put32(p + 4, value >> 32);
}

/* Does [offset, offset + size) lie inside [0, limit)? */
static inline bool hpkm_inside(uint64_t offset, uint64_t size, uint64_t limit)
{
	return offset <= limit && size <= limit - offset;
}

#endif /* HPKM_ELFFILE_H */
