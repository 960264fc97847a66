// SPDX-License-Identifier: GPL-2.0
/*
 * ELF files as hpkm-build reads them.  libelf finds the tables (it knows of
 * extended numbering); what the tables say is copied out here, and nothing
 * that points outside of the file gets past hpkm_elf_parse().
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elffile.h"
#include "hpkm.h"

#define FILE_SIZE_MAX ((off_t)4 << 30)

uint8_t *hpkm_file_read(struct hpkm_arena *arena, const char *path,
			size_t *size)
{
	uint8_t *bytes = NULL;
	struct stat st;
	size_t have = 0;
	int fd;

	/* No waiting for a writer, should it be a fifo. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		hpkm_error("cannot open %s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX) {
		hpkm_error("%s: not a regular file of a sensible size", path);
		goto out;
	}
	bytes = hpkm_arena_alloc(arena, (size_t)st.st_size + 1, 1);
	while (have < (size_t)st.st_size) {
		ssize_t n = read(fd, bytes + have, st.st_size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			hpkm_error("cannot read %s: %s", path,
				   n ? strerror(errno) : "it became shorter");
			bytes = NULL;
			goto out;
		}
		have += n;
	}
	*size = have;
out:
	if (fd >= 0)
		close(fd);
	return bytes;
}

static int damaged(const struct hpkm_elf *elf, const char *what, size_t index)
{
	hpkm_error("%s: damaged ELF file: %s (%zu)", elf->path, what, index);
	return -1;
}

/* A string that ends inside its table, or NULL. */
static const char *string_at(const struct hpkm_elf_section *strtab,
			     uint64_t offset)
{
	if (!strtab || !strtab->data || offset >= strtab->size ||
	    !memchr(strtab->data + offset, 0, strtab->size - offset))
		return NULL;
	return (const char *)strtab->data + offset;
}

static int parse_sections(struct hpkm_arena *arena, struct hpkm_elf *elf,
			  Elf *e)
{
	struct hpkm_elf_section *s;
	size_t count, names;

	if (elf_getshdrnum(e, &count))
		return damaged(elf, "no section table", 0);
	/* Each header takes 64 bytes of the file. */
	if (count > elf->size / sizeof(Elf64_Shdr))
		return damaged(elf, "section count", count);
	elf->sections = hpkm_arena_alloc(arena, count, sizeof(*s));
	elf->section_count = count;
	if (!count)
		return 0;
	if (elf_getshdrstrndx(e, &names) || names >= count)
		return damaged(elf, "no section names", 0);

	for (size_t i = 0; i < count; i++) {
		Elf_Scn *scn = elf_getscn(e, i);
		GElf_Shdr h;

		if (!scn || !gelf_getshdr(scn, &h))
			return damaged(elf, "section header", i);
		s = &elf->sections[i];
		s->type = h.sh_type;
		s->flags = h.sh_flags;
		s->addr = h.sh_addr;
		s->size = h.sh_size;
		s->align = h.sh_addralign ? h.sh_addralign : 1;
		s->entsize = h.sh_entsize;
		s->link = h.sh_link;
		s->info = h.sh_info;
		if (!i || s->type == SHT_NULL) {
			s->size = 0;
			continue;
		}
		if (s->align & (s->align - 1) || s->align > 1 << 24)
			return damaged(elf, "section alignment", i);
		if (s->type == SHT_NOBITS) {
			if (s->size > 1ULL << 40)
				return damaged(elf, "section size", i);
			continue;
		}
		if (!hpkm_inside(h.sh_offset, s->size, elf->size))
			return damaged(elf, "section outside of the file", i);
		s->data = elf->bytes + h.sh_offset;
	}
	for (size_t i = 0; i < count; i++) {
		Elf_Scn *scn = elf_getscn(e, i);
		GElf_Shdr h;

		s = &elf->sections[i];
		s->name = "";
		if (!i || !gelf_getshdr(scn, &h))
			continue;
		s->name = string_at(&elf->sections[names], h.sh_name);
		if (!s->name)
			return damaged(elf, "section name", i);
	}
	return 0;
}

static int parse_segments(struct hpkm_arena *arena, struct hpkm_elf *elf,
			  Elf *e)
{
	size_t count;

	if (elf_getphdrnum(e, &count))
		return damaged(elf, "no program headers", 0);
	if (count > elf->size / sizeof(Elf64_Phdr))
		return damaged(elf, "program header count", count);
	elf->segments = hpkm_arena_alloc(arena, count, sizeof(Elf64_Phdr));
	elf->segment_count = count;
	for (size_t i = 0; i < count; i++) {
		Elf64_Phdr *p = &elf->segments[i];

		if (!gelf_getphdr(e, i, p))
			return damaged(elf, "program header", i);
		if (p->p_type != PT_LOAD && p->p_type != PT_TLS)
			continue;
		/* Keeps every later sum of two of them within 64 bits. */
		if (p->p_vaddr > 1ULL << 47 || p->p_memsz > 1ULL << 46 ||
		    p->p_align > 1ULL << 30 ||
		    (p->p_align & (p->p_align - 1)))
			return damaged(elf, "program header", i);
	}
	return 0;
}

static uint32_t symbol_section(const struct hpkm_elf *elf, size_t i,
			       uint16_t shndx, uint32_t extended)
{
	switch (shndx) {
	case SHN_UNDEF:
		return HPKM_SECTION_UNDEF;
	case SHN_ABS:
		return HPKM_SECTION_ABS;
	case SHN_COMMON:
		return HPKM_SECTION_COMMON;
	case SHN_XINDEX:
		break;
	default:
		if (shndx >= SHN_LORESERVE)
			return HPKM_SECTION_OTHER;
		extended = shndx;
	}
	return extended < elf->section_count ? extended : HPKM_SECTION_OTHER;
}

static int parse_symbols(struct hpkm_arena *arena, struct hpkm_elf *elf,
			 size_t index, struct hpkm_elf_symtab *table)
{
	const struct hpkm_elf_section *s = &elf->sections[index];
	const struct hpkm_elf_section *strtab, *extended = NULL;
	const char *file = NULL;

	if (!s->data)
		return 0;
	if (s->link >= elf->section_count)
		return damaged(elf, "symbol names", index);
	strtab = &elf->sections[s->link];
	for (size_t i = 0; i < elf->section_count; i++)
		if (elf->sections[i].type == SHT_SYMTAB_SHNDX &&
		    elf->sections[i].link == index && elf->sections[i].data)
			extended = &elf->sections[i];

	table->count = s->size / sizeof(Elf64_Sym);
	table->symbols = hpkm_arena_alloc(arena, table->count,
					  sizeof(*table->symbols));
	for (size_t i = 0; i < table->count; i++) {
		struct hpkm_elf_symbol *to = &table->symbols[i];
		uint32_t wide = UINT32_MAX;
		Elf64_Sym sym;

		memcpy(&sym, s->data + i * sizeof(sym), sizeof(sym));
		if (extended && hpkm_inside(i * 4, 4, extended->size))
			wide = hpkm_get32(extended->data + i * 4);
		to->name = string_at(strtab, sym.st_name);
		if (!to->name) {
			if (sym.st_name)
				return damaged(elf, "symbol name", i);
			to->name = "";
		}
		to->value = sym.st_value;
		to->size = sym.st_size;
		to->type = ELF64_ST_TYPE(sym.st_info);
		to->bind = ELF64_ST_BIND(sym.st_info);
		to->visibility = ELF64_ST_VISIBILITY(sym.st_other);
		to->section = symbol_section(elf, i, sym.st_shndx, wide);
		if (to->type == STT_FILE)
			file = to->name;
		else if (to->bind == STB_LOCAL)
			to->file = file;
		if (elf->type != ET_REL || !to->section ||
		    to->section >= HPKM_SECTION_OTHER)
			continue;
		if (!hpkm_inside(to->value, to->size,
				 elf->sections[to->section].size))
			return damaged(elf, "symbol outside of its section",
				       i);
	}
	return 0;
}

static int compare_relocs(const void *a, const void *b)
{
	const struct hpkm_elf_reloc *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int parse_relocs(struct hpkm_arena *arena, struct hpkm_elf *elf,
			size_t index)
{
	const struct hpkm_elf_section *s = &elf->sections[index];
	struct hpkm_elf_section *to;
	size_t count = s->size / sizeof(Elf64_Rela);

	if (!s->data || !s->info)
		return 0;
	if (s->info >= elf->section_count || s->info == index)
		return damaged(elf, "relocations of no section", index);
	to = &elf->sections[s->info];
	if (!(to->flags & SHF_ALLOC))
		return 0;
	if (s->type == SHT_REL || to->relocs)
		return damaged(elf, "unexpected relocation table", index);
	to->relocs = hpkm_arena_alloc(arena, count, sizeof(*to->relocs));
	to->reloc_count = count;
	for (size_t i = 0; i < count; i++) {
		struct hpkm_elf_reloc *r = &to->relocs[i];
		Elf64_Rela rela;

		memcpy(&rela, s->data + i * sizeof(rela), sizeof(rela));
		r->offset = rela.r_offset;
		r->type = ELF64_R_TYPE(rela.r_info);
		r->symbol = ELF64_R_SYM(rela.r_info);
		r->addend = rela.r_addend;
		if (r->symbol >= elf->symtab.count)
			return damaged(elf, "relocation's symbol", i);
		if (!to->data || r->offset >= to->size)
			return damaged(elf, "relocation's place", i);
	}
	if (count)
		qsort(to->relocs, count, sizeof(*to->relocs), compare_relocs);
	return 0;
}

static int parse_tables(struct hpkm_arena *arena, struct hpkm_elf *elf, Elf *e)
{
	if (parse_sections(arena, elf, e) || parse_segments(arena, elf, e))
		return -1;
	for (size_t i = 1; i < elf->section_count; i++) {
		struct hpkm_elf_symtab *table = NULL;

		if (elf->sections[i].type == SHT_SYMTAB)
			table = &elf->symtab;
		else if (elf->sections[i].type == SHT_DYNSYM)
			table = &elf->dynsym;
		if (!table)
			continue;
		if (table->symbols)
			return damaged(elf, "two symbol tables", i);
		if (parse_symbols(arena, elf, i, table))
			return -1;
	}
	if (elf->type != ET_REL)
		return 0;
	for (size_t i = 1; i < elf->section_count; i++)
		if ((elf->sections[i].type == SHT_RELA ||
		     elf->sections[i].type == SHT_REL) &&
		    parse_relocs(arena, elf, i))
			return -1;
	return 0;
}

int hpkm_elf_parse(struct hpkm_arena *arena, struct hpkm_elf *elf,
		   const char *path, uint8_t *bytes, size_t size)
{
	GElf_Ehdr ehdr;
	Elf *e;
	int err = -1;

	memset(elf, 0, sizeof(*elf));
	elf->path = path;
	elf->bytes = bytes;
	elf->size = size;
	elf_version(EV_CURRENT);
	e = elf_memory((char *)bytes, size);
	if (!e || elf_kind(e) != ELF_K_ELF || !gelf_getehdr(e, &ehdr)) {
		hpkm_error("%s: not an ELF file", path);
		goto out;
	}
	if (ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr.e_ident[EI_DATA] != ELFDATA2LSB) {
		hpkm_error("%s: not a 64-bit little-endian ELF file", path);
		goto out;
	}
	/* libelf shows a file that ends before its tables as one without. */
	if (ehdr.e_shoff && !hpkm_inside(ehdr.e_shoff, sizeof(Elf64_Shdr),
					 size)) {
		damaged(elf, "cut off before its section table", size);
		goto out;
	}
	elf->type = ehdr.e_type;
	elf->machine = ehdr.e_machine;
	err = parse_tables(arena, elf, e);
out:
	elf_end(e);
	return err;
}

int hpkm_elf_open(struct hpkm_arena *arena, struct hpkm_elf *elf,
		  const char *path)
{
	uint8_t *bytes;
	size_t size;

	bytes = hpkm_file_read(arena, path, &size);
	if (!bytes)
		return -1;
	return hpkm_elf_parse(arena, elf, path, bytes, size);
}

struct hpkm_elf_section *hpkm_elf_section(const struct hpkm_elf *elf,
					  const char *name)
{
	for (size_t i = 1; i < elf->section_count; i++)
		if (!strcmp(elf->sections[i].name, name))
			return &elf->sections[i];
	return NULL;
}

const uint8_t *hpkm_elf_at(const struct hpkm_elf *elf, uint64_t addr,
			   uint64_t size)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const Elf64_Phdr *p = &elf->segments[i];

		if (p->p_type != PT_LOAD || addr < p->p_vaddr ||
		    !hpkm_inside(addr - p->p_vaddr, size, p->p_filesz))
			continue;
		if (!hpkm_inside(p->p_offset, p->p_filesz, elf->size))
			return NULL;
		return elf->bytes + p->p_offset + (addr - p->p_vaddr);
	}
	return NULL;
}

static const uint8_t *find_build_id(const uint8_t *notes, uint64_t size,
				    uint64_t align, size_t *id_size)
{
	uint64_t at = 0;

	while (hpkm_inside(at, sizeof(Elf64_Nhdr), size)) {
		Elf64_Nhdr n;
		uint64_t desc, next;

		memcpy(&n, notes + at, sizeof(n));
		desc = at + sizeof(n) + n.n_namesz;
		desc = (desc + align - 1) & ~(align - 1);
		next = (desc + n.n_descsz + align - 1) & ~(align - 1);
		if (!hpkm_inside(desc, n.n_descsz, size))
			break;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 &&
		    !memcmp(notes + at + sizeof(n), "GNU", 4)) {
			*id_size = n.n_descsz;
			return notes + desc;
		}
		at = next;
	}
	return NULL;
}

const uint8_t *hpkm_elf_build_id(const struct hpkm_elf *elf, size_t *size,
				 uint64_t *addr)
{
	const uint8_t *notes, *id;

	for (size_t i = 0; i < elf->segment_count; i++) {
		const Elf64_Phdr *p = &elf->segments[i];

		if (p->p_type != PT_NOTE)
			continue;
		notes = hpkm_elf_at(elf, p->p_vaddr, p->p_filesz);
		id = notes ? find_build_id(notes, p->p_filesz,
					   p->p_align == 8 ? 8 : 4, size) :
			NULL;
		if (id) {
			*addr = p->p_vaddr + (id - notes);
			return id;
		}
	}
	/* A debug file's segments have no content; its note section has. */
	for (size_t i = 1; i < elf->section_count; i++) {
		const struct hpkm_elf_section *s = &elf->sections[i];

		if (s->type != SHT_NOTE || !s->data)
			continue;
		id = find_build_id(s->data, s->size, s->align == 8 ? 8 : 4,
				   size);
		if (id) {
			*addr = 0;
			return id;
		}
	}
	return NULL;
}
