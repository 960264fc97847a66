// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 3, link.
 *
 * GNU ld does the relocating: it gets one relocatable file with a section for
 * each piece, the anchors' addresses as absolute symbols, and a script that
 * places the segments where the patch is to stand.  With --emit-relocs it
 * keeps the relocations, of which those become fixups whose value depends on
 * where an anchor or the image is loaded.
 *
 * A position-independent anchor is linked as if it stood at FAKE_BASE, so
 * that the span below it has addresses too; the next one FAKE_STEP above, so
 * that an address tells which anchor it belongs to.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <hpkm/image.h>
#include <nettle/sha2.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hpkm.h"
#include "link.h"

#define FAKE_BASE	(4ULL << 30)
#define FAKE_STEP	(16ULL << 30)
/* Externs stand for ld a page apart, far above everything. */
#define EXTERN_BASE	(1ULL << 60)
#define EXTERN_STEP	4096
#define GRAIN		(64ULL << 10)
/* Addresses below a program are small numbers: let them not be round ones. */
#define NOT_ROUND	(11ULL << 12)
#define MMAP_MIN_ADDR	(64ULL << 10)
#define BELOW_SIZE	(1ULL << 30)
/* Above a non-PIE stands its heap, which may start 32 MiB further up. */
#define HEAP_GAP	(512ULL << 20)
/* ±2 GiB, less what an addend may lean out. */
#define REACH		((2ULL << 30) - (16ULL << 20))

extern char **environ;

/* Names of sections. */
static const char *const kinds[HPKM_LINK_KINDS] = {
	[HPKM_LINK_TEXT]	= ".text",
	[HPKM_LINK_RODATA]	= ".rodata",
	[HPKM_LINK_DATA]	= ".data",
	[HPKM_LINK_BSS]		= ".bss",
	[HPKM_LINK_FRESH]	= ".fresh",
};

void hpkm_link_init(struct hpkm_link *link, struct hpkm_arena *arena,
		    const struct hpkm_anchor *anchors, size_t count)
{
	uint64_t next = FAKE_BASE;

	link->arena = arena;
	link->arch = anchors[0].arch;
	link->span_count = count;
	link->spans = hpkm_arena_alloc(arena, count, sizeof(*link->spans));
	for (size_t i = 0; i < count; i++) {
		link->spans[i].anchor = &anchors[i];
		if (!anchors[i].fixed)
			continue;
		/* Clear of where a non-PIE really stands. */
		link->spans[i].base = anchors[i].base;
		if (anchors[i].end > FAKE_BASE / 2)
			next = (anchors[i].end / FAKE_STEP + 2) * FAKE_STEP;
	}
	for (size_t i = 0; i < count; i++) {
		if (anchors[i].fixed)
			continue;
		link->spans[i].base = next;
		next += FAKE_STEP;
	}
}

struct hpkm_link_piece *hpkm_link_add(struct hpkm_link *link,
				      struct hpkm_link_span *span,
				      const char *name,
				      enum hpkm_link_kind kind,
				      uint64_t align, const uint8_t *data,
				      uint64_t size)
{
	struct hpkm_link_piece *piece;

	piece = hpkm_arena_alloc(link->arena, 1, sizeof(*piece));
	piece->span = span;
	piece->name = name;
	piece->kind = kind;
	piece->align = align;
	piece->size = size;
	piece->item_size = size;
	if (data)
		piece->data = hpkm_arena_copy(link->arena, data, size);
	link->pieces = hpkm_arena_push(link->arena, link->pieces,
				       link->piece_count,
				       sizeof(*link->pieces));
	link->pieces[link->piece_count++] = piece;
	span->piece_count++;
	return piece;
}

struct hpkm_link_reloc *hpkm_link_add_reloc(struct hpkm_link *link,
					    struct hpkm_link_piece *piece)
{
	struct hpkm_link_reloc *r;

	piece->relocs = hpkm_arena_push(link->arena, piece->relocs,
					piece->reloc_count,
					sizeof(*piece->relocs));
	r = &piece->relocs[piece->reloc_count++];
	memset(r, 0, sizeof(*r));
	return r;
}

size_t hpkm_link_extern(struct hpkm_link *link,
			const struct hpkm_link_span *span, const char *name,
			const char *version, bool weak)
{
	struct hpkm_link_extern *e;

	for (size_t i = 0; i < link->extern_count; i++) {
		e = &link->externs[i];
		if (e->span == span && !strcmp(e->name, name) &&
		    !strcmp(e->version, version)) {
			e->weak &= weak;
			return i;
		}
	}
	link->externs = hpkm_arena_push(link->arena, link->externs,
					link->extern_count, sizeof(*e));
	e = &link->externs[link->extern_count];
	*e = (struct hpkm_link_extern){ span, name, version, weak };
	return link->extern_count++;
}

void hpkm_link_copy(struct hpkm_link *link, const struct hpkm_link_piece *piece,
		    uint64_t from)
{
	link->copies = hpkm_arena_push(link->arena, link->copies,
				       link->copy_count,
				       sizeof(*link->copies));
	link->copies[link->copy_count++] = (struct hpkm_link_copy){
		piece, from,
	};
}

static uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

static uint64_t span_start(const struct hpkm_link_span *span)
{
	return span->base + span->distance;
}

static uint64_t anchor_address(const struct hpkm_link_span *span,
			       uint64_t vaddr)
{
	return vaddr - span->anchor->base + span->base;
}

/* ---- where a span stands ---- */

/* Depends on what is linked only: the same input gives the same place. */
static uint64_t content_hash(const struct hpkm_link *link,
			     const struct hpkm_link_span *span)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, span->anchor->id_size, span->anchor->id);
	for (size_t i = 0; i < link->piece_count; i++) {
		const struct hpkm_link_piece *p = link->pieces[i];

		if (p->span != span)
			continue;
		sha256_update(&sha, strlen(p->name) + 1,
			      (const uint8_t *)p->name);
		if (p->data)
			sha256_update(&sha, p->size, p->data);
		for (size_t k = 0; k < p->reloc_count; k++) {
			const struct hpkm_link_reloc *r = &p->relocs[k];
			uint64_t words[] = { r->offset, r->type, r->value,
					     (uint64_t)r->addend };

			sha256_update(&sha, sizeof(words),
				      (const uint8_t *)words);
		}
	}
	sha256_digest(&sha, sizeof(digest), digest);
	return hpkm_get64(digest);
}

static int choose_distance(const struct hpkm_link *link,
			   struct hpkm_link_span *span)
{
	const struct hpkm_anchor *a = span->anchor;
	uint64_t object = a->end - a->base, size = 0, room, low;
	uint64_t hash = content_hash(link, span);

	for (size_t i = 0; i < link->piece_count; i++)
		if (link->pieces[i]->span == span)
			size += link->pieces[i]->size + link->pieces[i]->align;
	size = align_up(size, GRAIN) + HPKM_LINK_KINDS * GRAIN;
	if (size > HPKM_SPAN_SIZE_MAX) {
		hpkm_error("the patch would take %llu MiB in a process, more than %u",
			   (unsigned long long)size >> 20,
			   HPKM_SPAN_SIZE_MAX >> 20);
		return -1;
	}
	if (object > REACH - BELOW_SIZE / 8) {
		hpkm_error("%s: too big to be patched: %llu MiB", a->name,
			   (unsigned long long)object >> 20);
		return -1;
	}
	if (!a->fixed) {
		room = REACH - object;
		if (room > BELOW_SIZE)
			room = BELOW_SIZE;
		/* size is far below room. */
		span->distance = -(int64_t)
			(size + hash % ((room - size) / GRAIN) * GRAIN);
		return 0;
	}
	/* The space below a non-PIE, and else above it and its heap. */
	if (a->base > MMAP_MIN_ADDR + NOT_ROUND + size) {
		room = (a->base - size - NOT_ROUND - MMAP_MIN_ADDR) / GRAIN + 1;
		low = MMAP_MIN_ADDR + hash % room * GRAIN + NOT_ROUND;
		span->distance = low - a->base;
		return 0;
	}
	low = align_up(a->end, GRAIN) + HEAP_GAP;
	if (low + size + GRAIN > REACH) {
		hpkm_error("%s: there is no room near it for a patch",
			   a->name);
		return -1;
	}
	room = (REACH - size - low) / GRAIN;
	span->distance = low + hash % room * GRAIN - a->base;
	return 0;
}

/* ---- the file that ld gets ---- */

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
				EXTERN_BASE + r->value * EXTERN_STEP :
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

static int write_input(struct hpkm_link *link, const char *path)
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

/* Output sections: ".text" near the first object, ".text.1" near the next. */
static void section_name(char *name, size_t size, int kind, uint32_t object)
{
	if (object)
		snprintf(name, size, "%s.%u", kinds[kind], object);
	else
		snprintf(name, size, "%s", kinds[kind]);
}

static void script_span(FILE *f, const struct hpkm_link *link,
			const struct hpkm_link_span *span)
{
	char name[32];

	fprintf(f, "\t. = 0x%llx;\n", (unsigned long long)span_start(span));
	for (int k = 0; k < HPKM_LINK_KINDS; k++) {
		/* bss follows data in one segment. */
		if (k != HPKM_LINK_BSS)
			fprintf(f, "\t. = ALIGN(0x%x);\n", link->arch->align);
		section_name(name, sizeof(name), k, span->object);
		fprintf(f, "\t%s : { *(%s.%u.*) }\n", name, kinds[k],
			span->object);
	}
}

static int write_script(const struct hpkm_link *link, const char *path)
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

static int run_ld(const struct hpkm_link *link, const char *dir)
{
	const char *ld = link->arch->ld;
	char *argv[] = {
		(char *)ld, "-q", "--no-relax", "-static", "-nostdlib",
		"-z", "noexecstack", "-z", "norelro",
		"-z", "max-page-size=4096", "-z", "common-page-size=4096",
		"--build-id=none", "-e", "0",
		"-T", "patch.ld", "-o", "patch.elf", "patch.o", NULL,
	};
	posix_spawn_file_actions_t actions;
	int status, err;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	/* Relative names: the output must not depend on the directory's. */
	posix_spawn_file_actions_addchdir_np(&actions, dir);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO,
					 STDOUT_FILENO);
	err = posix_spawnp(&pid, ld, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err) {
		hpkm_error("cannot run the linker '%s': %s", ld,
			   strerror(err));
		hpkm_detail("it comes with the package binutils");
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		hpkm_error("the linker failed; --keep DIR keeps its input");
		return -1;
	}
	return 0;
}

/* ---- what ld made ---- */

static const struct hpkm_elf_section *output(const struct hpkm_link *link,
					     const struct hpkm_link_span *span,
					     int kind)
{
	const struct hpkm_elf_section *s;
	char name[32];

	section_name(name, sizeof(name), kind, span->object);
	s = hpkm_elf_section(&link->elf, name);
	return s && s->size ? s : NULL;
}

static void add_segment(struct hpkm_link *link, struct hpkm_link_span *span,
			enum hpkm_link_kind kind)
{
	const struct hpkm_elf_section *s = output(link, span, kind);
	const struct hpkm_elf_section *bss = NULL;
	uint64_t start = span_start(span), end;
	uint32_t align = link->arch->align;
	struct hpkm_link_segment *seg;

	if (kind == HPKM_LINK_DATA)
		bss = output(link, span, HPKM_LINK_BSS);
	if (!s && !bss)
		return;
	link->segments = hpkm_arena_push(link->arena, link->segments,
					 link->segment_count, sizeof(*seg));
	seg = &link->segments[link->segment_count++];
	memset(seg, 0, sizeof(*seg));
	seg->span = span;
	seg->kind = kind;
	seg->mem_offset = ((s ? s->addr : bss->addr) - start) &
		~(uint64_t)(align - 1);
	if (s && s->data) {
		seg->data = s->data;
		seg->data_size = s->size;
	}
	end = bss ? bss->addr + bss->size : s->addr + s->size;
	seg->mem_size = align_up(end - start - seg->mem_offset, align);
	if (seg->mem_offset + seg->mem_size > span->size)
		span->size = seg->mem_offset + seg->mem_size;
}

static int read_pieces(struct hpkm_link *link)
{
	/* ld keeps local symbols in the order of its input. */
	const struct hpkm_elf_symtab *t = &link->elf.symtab;
	size_t next = 0;

	for (size_t i = 1; i < t->count && next < link->piece_count; i++) {
		const struct hpkm_elf_symbol *s = &t->symbols[i];
		struct hpkm_link_piece *p = link->pieces[next];

		if ((s->type != STT_FUNC && s->type != STT_OBJECT) ||
		    strcmp(s->name, p->name) || s->size != p->item_size)
			continue;
		p->span_offset = s->value - p->item_offset -
			span_start(p->span);
		next++;
	}
	if (next == link->piece_count)
		return 0;
	hpkm_error("the linker lost the symbol %s", link->pieces[next]->name);
	return -1;
}

static uint16_t fixup_kind(enum hpkm_rel rel)
{
	switch (rel) {
	case HPKM_REL_ABS64:
		return HPKM_FIXUP_ABS64;
	case HPKM_REL_ABS32:
		return HPKM_FIXUP_ABS32;
	case HPKM_REL_ABS32S:
		return HPKM_FIXUP_ABS32S;
	case HPKM_REL_PC64:
		return HPKM_FIXUP_PC64;
	default:
		return HPKM_FIXUP_PC32;
	}
}

/* The span whose anchor an address belongs to, or that it lies in. */
static const struct hpkm_link_span *span_of(const struct hpkm_link *link,
					    uint64_t address)
{
	const struct hpkm_link_span *best = NULL;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < link->span_count; i++) {
		const struct hpkm_link_span *span = &link->spans[i];
		uint64_t away = address > span->base ? address - span->base :
			span->base - address;

		if (span->piece_count && away < least) {
			least = away;
			best = span;
		}
	}
	return best;
}

static uint32_t segment_of(const struct hpkm_link *link, uint64_t address,
			   unsigned int size)
{
	const struct hpkm_link_span *span = span_of(link, address);
	uint64_t place = address - span_start(span);
	uint32_t i;

	for (i = 0; i < link->segment_count; i++) {
		const struct hpkm_link_segment *s = &link->segments[i];

		if (s->span == span && place >= s->mem_offset &&
		    hpkm_inside(place - s->mem_offset, size, s->data_size))
			break;
	}
	return i;
}

static int add_fixup(struct hpkm_link *link, const Elf64_Rela *rela)
{
	enum hpkm_rel rel = link->arch->rel(ELF64_R_TYPE(rela->r_info));
	uint64_t sym = ELF64_R_SYM(rela->r_info);
	const struct hpkm_link_span *from, *to;
	const struct hpkm_elf_symbol *s;
	struct hpkm_link_fixup *f;
	uint32_t segment;
	bool anchored;

	if (sym >= link->elf.symtab.count || rel == HPKM_REL_UNKNOWN)
		return -1;
	s = &link->elf.symtab.symbols[sym];
	if (rel == HPKM_REL_NONE)
		return 0;
	anchored = s->section == HPKM_SECTION_ABS;
	from = span_of(link, rela->r_offset);
	to = span_of(link, s->value);
	if (!anchored && from == to && hpkm_rel_pcrel(rel))
		return 0;
	segment = segment_of(link, rela->r_offset, hpkm_rel_size(rel));
	if (segment == link->segment_count)
		return -1;
	link->fixups = hpkm_arena_push(link->arena, link->fixups,
				       link->fixup_count, sizeof(*f));
	f = &link->fixups[link->fixup_count++];
	if (anchored && s->value >= EXTERN_BASE) {
		*f = (struct hpkm_link_fixup){
			.kind = fixup_kind(rel),
			.relative = HPKM_RELATIVE_EXTERN,
			.object = (s->value - EXTERN_BASE) / EXTERN_STEP,
			.segment = segment,
			.place = rela->r_offset - span_start(from) -
				link->segments[segment].mem_offset,
			.addend = rela->r_addend,
		};
		return 0;
	}
	f->kind = fixup_kind(rel);
	f->relative = anchored ? HPKM_RELATIVE_OBJECT : HPKM_RELATIVE_SPAN;
	f->object = to->object;
	f->segment = segment;
	f->place = rela->r_offset - span_start(from) -
		link->segments[segment].mem_offset;
	f->addend = s->value + rela->r_addend -
		(anchored ? to->base : span_start(to));
	return 0;
}

/* What ld knows nothing of. */
static int add_copies(struct hpkm_link *link)
{
	for (size_t i = 0; i < link->copy_count; i++) {
		const struct hpkm_link_copy *from = &link->copies[i];
		const struct hpkm_link_span *span = from->piece->span;
		uint64_t place = from->piece->span_offset;
		uint32_t segment;

		segment = segment_of(link, span_start(span) + place, 8);
		if (segment == link->segment_count)
			return -1;
		link->fixups = hpkm_arena_push(link->arena, link->fixups,
					       link->fixup_count,
					       sizeof(*link->fixups));
		link->fixups[link->fixup_count++] = (struct hpkm_link_fixup){
			.kind = HPKM_FIXUP_COPY64,
			.relative = HPKM_RELATIVE_OBJECT,
			.object = span->object,
			.segment = segment,
			.place = place - link->segments[segment].mem_offset,
			.addend = from->from - span->anchor->base,
		};
	}
	return 0;
}

static int compare_fixups(const void *x, const void *y)
{
	const struct hpkm_link_fixup *a = x, *b = y;

	if (a->segment != b->segment)
		return a->segment < b->segment ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

static int read_output(struct hpkm_link *link, const char *path)
{
	if (hpkm_elf_open(link->arena, &link->elf, path))
		return -1;
	for (size_t i = 0; i < link->span_count; i++) {
		struct hpkm_link_span *span = &link->spans[i];

		if (!span->piece_count)
			continue;
		add_segment(link, span, HPKM_LINK_TEXT);
		add_segment(link, span, HPKM_LINK_RODATA);
		add_segment(link, span, HPKM_LINK_DATA);
		add_segment(link, span, HPKM_LINK_FRESH);
	}
	if (read_pieces(link) || add_copies(link))
		return -1;
	for (size_t i = 1; i < link->elf.section_count; i++) {
		const struct hpkm_elf_section *s = &link->elf.sections[i];

		if (s->type != SHT_RELA || !s->data)
			continue;
		for (size_t k = 0; hpkm_inside(k, 24, s->size); k += 24) {
			Elf64_Rela rela;

			memcpy(&rela, s->data + k, sizeof(rela));
			if (add_fixup(link, &rela)) {
				hpkm_error("the linker kept a relocation that is not understood");
				return -1;
			}
		}
	}
	if (link->fixup_count)
		qsort(link->fixups, link->fixup_count, sizeof(*link->fixups),
		      compare_fixups);
	return 0;
}

/* The anchors with pieces are the objects of the image. */
static int place_spans(struct hpkm_link *link)
{
	for (size_t i = 0; i < link->span_count; i++)
		if (link->spans[i].piece_count)
			link->spans[i].object = link->object_count++;
	for (size_t i = 0; i < link->span_count; i++)
		if (link->spans[i].piece_count &&
		    choose_distance(link, &link->spans[i]))
			return -1;
	return 0;
}

int hpkm_link_run(struct hpkm_link *link)
{
	static const char *const files[] = {
		"patch.o", "patch.ld", "patch.elf",
	};
	const char *dir = link->keep, *parent = getenv("TMPDIR");
	char *temporary, *paths[3];
	int err;

	if (place_spans(link))
		return -1;
	if (!parent || *parent != '/')
		parent = "/tmp";
	temporary = hpkm_arena_printf(link->arena, "%s/hpkm-build.XXXXXX",
				      parent);
	if (dir) {
		if (mkdir(dir, 0777) && errno != EEXIST) {
			hpkm_error("cannot make %s: %s", dir, strerror(errno));
			return -1;
		}
	} else {
		dir = mkdtemp(temporary);
		if (!dir) {
			hpkm_error("cannot make a directory in %s: %s", parent,
				   strerror(errno));
			return -1;
		}
	}
	for (int i = 0; i < 3; i++)
		paths[i] = hpkm_arena_printf(link->arena, "%s/%s", dir,
					     files[i]);
	err = write_input(link, paths[0]) || write_script(link, paths[1]) ||
		run_ld(link, dir) || read_output(link, paths[2]);
	if (!link->keep) {
		for (int i = 0; i < 3; i++)
			unlink(paths[i]);
		rmdir(dir);
	}
	return err ? -1 : 0;
}
