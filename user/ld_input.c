// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 3, link: what GNU ld gets, which is one relocatable file with a
 * section for each piece, the anchors' addresses as absolute symbols, and a
 * script that places the segments where the patch is to stand.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hpkm.h"
#include "ld.h"
#include "span.h"

static const char *const kinds[HPKM_LINK_KINDS] = {
	[HPKM_LINK_TEXT]	= ".text",
	[HPKM_LINK_RODATA]	= ".rodata",
	[HPKM_LINK_DATA]	= ".data",
	[HPKM_LINK_BSS]		= ".bss",
	[HPKM_LINK_FRESH]	= ".fresh",
};

void hpkm_ld_section(char *name, size_t size, int kind, uint32_t object)
{
	if (object)
		snprintf(name, size, "%s.%u", kinds[kind], object);
	else
		snprintf(name, size, "%s", kinds[kind]);
}

struct strings {
	char *bytes;
	size_t size, room;
};

static uint32_t add_string(struct strings *s, const char *text)
{
	size_t n = strlen(text) + 1, at = s->size;

	if (s->size + n > s->room) {
		s->room = 2 * (s->size + n) + 4096;
		s->bytes = realloc(s->bytes, s->room);
		if (!s->bytes) {
			hpkm_error("out of memory");
			exit(HPKM_EXIT_ERROR);
		}
	}
	memcpy(s->bytes + at, text, n);
	s->size += n;
	return at;
}

struct input {
	struct hpkm_link *link;
	Elf *elf;
	struct strings names, symbols_names;
	Elf64_Sym *symbols;
	size_t symbol_count;
	size_t failed;
};

static Elf_Scn *new_section(struct input *in, const char *name, uint32_t type,
			    uint64_t flags, uint64_t align, void *data,
			    size_t size, Elf_Type kind)
{
	Elf_Scn *scn = elf_newscn(in->elf);
	Elf_Data *d = scn ? elf_newdata(scn) : NULL;
	GElf_Shdr h;

	if (!d || !gelf_getshdr(scn, &h)) {
		in->failed++;
		return NULL;
	}
	d->d_buf = data;
	d->d_size = size;
	d->d_align = align;
	d->d_type = kind;
	d->d_version = EV_CURRENT;
	h.sh_name = add_string(&in->names, name);
	h.sh_type = type;
	h.sh_flags = flags;
	h.sh_addralign = align;
	in->failed += !gelf_update_shdr(scn, &h);
	return scn;
}

static void link_section(struct input *in, Elf_Scn *scn, uint32_t link,
			 uint32_t info, uint64_t entsize)
{
	GElf_Shdr h;

	if (!scn || !gelf_getshdr(scn, &h)) {
		in->failed++;
		return;
	}
	h.sh_link = link;
	h.sh_info = info;
	h.sh_entsize = entsize;
	in->failed += !gelf_update_shdr(scn, &h);
}

static uint32_t add_symbol(struct input *in, const char *name, uint8_t type,
			   uint16_t section, uint64_t value, uint64_t size)
{
	Elf64_Sym *sym;

	in->symbols = hpkm_arena_push(in->link->arena, in->symbols,
				      in->symbol_count, sizeof(*sym));
	sym = &in->symbols[in->symbol_count];
	memset(sym, 0, sizeof(*sym));
	sym->st_name = *name ? add_string(&in->symbols_names, name) : 0;
	sym->st_info = ELF64_ST_INFO(STB_LOCAL, type);
	sym->st_shndx = section;
	sym->st_value = value;
	sym->st_size = size;
	return in->symbol_count++;
}

/* A piece takes two sections, and their index 16 bits. */
#define PIECES_MAX 32000

static void add_piece(struct input *in, size_t i)
{
	static const uint64_t flags[HPKM_LINK_KINDS] = {
		[HPKM_LINK_TEXT]	= SHF_ALLOC | SHF_EXECINSTR,
		[HPKM_LINK_RODATA]	= SHF_ALLOC,
		[HPKM_LINK_DATA]	= SHF_ALLOC | SHF_WRITE,
		[HPKM_LINK_BSS]		= SHF_ALLOC | SHF_WRITE,
		[HPKM_LINK_FRESH]	= SHF_ALLOC | SHF_WRITE,
	};
	struct hpkm_link_piece *p = in->link->pieces[i];
	bool bss = p->kind == HPKM_LINK_BSS || p->kind == HPKM_LINK_FRESH;
	char name[48];
	Elf_Scn *scn;

	snprintf(name, sizeof(name), "%s.%u.%zu", kinds[p->kind],
		 p->span->object, i);
	if (!bss && !p->data)
		p->data = hpkm_arena_alloc(in->link->arena, p->size, 1);
	scn = new_section(in, name, bss ? SHT_NOBITS : SHT_PROGBITS,
			  flags[p->kind], p->align, bss ? NULL : p->data,
			  p->size, ELF_T_BYTE);
	if (scn)
		p->symbol = add_symbol(in, p->name,
				       p->kind == HPKM_LINK_TEXT ? STT_FUNC :
				       STT_OBJECT, elf_ndxscn(scn),
				       p->item_offset, p->item_size);
}

static int compare_targets(const void *x, const void *y)
{
	const struct hpkm_link_reloc *a = *(struct hpkm_link_reloc *const *)x;
	const struct hpkm_link_reloc *b = *(struct hpkm_link_reloc *const *)y;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return strcmp(a->name, b->name);
}

static uint64_t anchor_address(const struct hpkm_link_span *span,
			       uint64_t vaddr)
{
	return vaddr - span->anchor->base + span->base;
}

/* One absolute symbol for each address of an anchor that is referred to. */
static void add_anchor_symbols(struct input *in)
{
	struct hpkm_link *link = in->link;
	struct hpkm_link_reloc **list;
	size_t count = 0, n = 0;
	uint32_t index = 0;

	for (size_t i = 0; i < link->piece_count; i++)
		count += link->pieces[i]->reloc_count;
	list = hpkm_arena_alloc(link->arena, count, sizeof(*list));
	for (size_t i = 0; i < link->piece_count; i++) {
		struct hpkm_link_piece *p = link->pieces[i];

		for (size_t k = 0; k < p->reloc_count; k++) {
			struct hpkm_link_reloc *r = &p->relocs[k];

			if (r->to)
				continue;
			r->address = r->is_extern ?
				HPKM_EXTERN_BASE + r->value * HPKM_EXTERN_STEP :
				anchor_address(p->span, r->value);
			list[n++] = r;
		}
	}
	if (n)
		qsort(list, n, sizeof(*list), compare_targets);
	for (size_t i = 0; i < n; i++) {
		if (!i || compare_targets(&list[i - 1], &list[i]))
			index = add_symbol(in, list[i]->name, STT_NOTYPE,
					   SHN_ABS, list[i]->address, 0);
		list[i]->symbol = index;
	}
}

static void add_relocs(struct input *in, size_t i, uint32_t symtab)
{
	struct hpkm_link_piece *p = in->link->pieces[i];
	Elf64_Rela *rela;
	char name[64];
	Elf_Scn *scn;

	if (!p->reloc_count)
		return;
	rela = hpkm_arena_alloc(in->link->arena, p->reloc_count,
				sizeof(*rela));
	for (size_t k = 0; k < p->reloc_count; k++) {
		const struct hpkm_link_reloc *r = &p->relocs[k];
		uint32_t sym = r->symbol;

		rela[k].r_addend = r->addend;
		if (r->to) {
			sym = r->to->symbol;
			/* The symbol may stand inside of its piece. */
			rela[k].r_addend -= r->to->item_offset;
		}
		rela[k].r_offset = r->offset;
		rela[k].r_info = ELF64_R_INFO((uint64_t)sym, r->type);
	}
	snprintf(name, sizeof(name), ".rela%s.%u.%zu", kinds[p->kind],
		 p->span->object, i);
	scn = new_section(in, name, SHT_RELA, SHF_INFO_LINK, 8, rela,
			  p->reloc_count * sizeof(*rela), ELF_T_RELA);
	/* Pieces are the first sections. */
	link_section(in, scn, symtab, i + 1, sizeof(*rela));
}

static void fill_input(struct input *in)
{
	struct hpkm_link *link = in->link;
	Elf_Scn *scn, *names;
	uint32_t symtab;
	GElf_Ehdr ehdr;

	if (!gelf_newehdr(in->elf, ELFCLASS64) ||
	    !gelf_getehdr(in->elf, &ehdr)) {
		in->failed++;
		return;
	}
	add_string(&in->names, "");
	add_string(&in->symbols_names, "");
	add_symbol(in, "", STT_NOTYPE, SHN_UNDEF, 0, 0);
	add_symbol(in, "hpkm", STT_FILE, SHN_ABS, 0, 0);
	for (size_t i = 0; i < link->piece_count; i++)
		add_piece(in, i);
	add_anchor_symbols(in);

	scn = new_section(in, ".symtab", SHT_SYMTAB, 0, 8, in->symbols,
			  in->symbol_count * sizeof(Elf64_Sym), ELF_T_SYM);
	if (!scn)
		return;
	symtab = elf_ndxscn(scn);
	link_section(in, scn, symtab + 1, in->symbol_count,
		     sizeof(Elf64_Sym));
	new_section(in, ".strtab", SHT_STRTAB, 0, 1, in->symbols_names.bytes,
		    in->symbols_names.size, ELF_T_BYTE);
	for (size_t i = 0; i < link->piece_count; i++)
		add_relocs(in, i, symtab);
	new_section(in, ".note.GNU-stack", SHT_PROGBITS, 0, 1, NULL, 0,
		    ELF_T_BYTE);
	add_string(&in->names, ".shstrtab");
	names = new_section(in, ".shstrtab", SHT_STRTAB, 0, 1, NULL, 0,
			    ELF_T_BYTE);
	if (!names)
		return;
	elf_getdata(names, NULL)->d_buf = in->names.bytes;
	elf_getdata(names, NULL)->d_size = in->names.size;

	ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr.e_type = ET_REL;
	ehdr.e_machine = link->arch->machine;
	ehdr.e_version = EV_CURRENT;
	ehdr.e_shstrndx = elf_ndxscn(names);
	in->failed += !gelf_update_ehdr(in->elf, &ehdr);
}

int hpkm_ld_object(struct hpkm_link *link, const char *path)
{
	struct input in = { .link = link };
	int err = -1, fd;

	if (link->piece_count > PIECES_MAX) {
		hpkm_error("the patch has %zu pieces, more than %u",
			   link->piece_count, PIECES_MAX);
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) {
		hpkm_error("cannot write %s: %s", path, strerror(errno));
		return -1;
	}
	elf_version(EV_CURRENT);
	in.elf = elf_begin(fd, ELF_C_WRITE, NULL);
	if (in.elf)
		fill_input(&in);
	if (!in.elf || in.failed || elf_update(in.elf, ELF_C_WRITE) < 0)
		hpkm_error("cannot write %s: %s", path, elf_errmsg(-1));
	else
		err = 0;
	elf_end(in.elf);
	free(in.names.bytes);
	free(in.symbols_names.bytes);
	close(fd);
	return err;
}

static void script_span(FILE *f, const struct hpkm_link *link,
			const struct hpkm_link_span *span)
{
	char name[32];

	fprintf(f, "\t. = 0x%llx;\n", (unsigned long long)
		hpkm_span_start(span));
	for (int k = 0; k < HPKM_LINK_KINDS; k++) {
		/* bss follows data in one segment. */
		if (k != HPKM_LINK_BSS)
			fprintf(f, "\t. = ALIGN(0x%x);\n", link->arch->align);
		hpkm_ld_section(name, sizeof(name), k, span->object);
		fprintf(f, "\t%s : { *(%s.%u.*) }\n", name, kinds[k],
			span->object);
	}
}

int hpkm_ld_script(const struct hpkm_link *link, const char *path)
{
	FILE *f = fopen(path, "we");
	int bad;

	if (!f) {
		hpkm_error("cannot write %s: %s", path, strerror(errno));
		return -1;
	}
	fprintf(f, "OUTPUT_FORMAT(\"%s\")\nSECTIONS\n{\n",
		link->arch->ld_format);
	for (size_t i = 0; i < link->span_count; i++)
		if (link->spans[i].piece_count)
			script_span(f, link, &link->spans[i]);
	fprintf(f, "\t/DISCARD/ : { *(.note.GNU-stack) }\n}\n");
	bad = ferror(f);
	if (fclose(f) || bad) {
		hpkm_error("cannot write %s: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}
