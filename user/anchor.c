// SPDX-License-Identifier: GPL-2.0
/* The anchor: the executable or library as it runs.  Before stage 2. */
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anchor.h"
#include "hpkm.h"
#include "symbols.h"

#define PAGE 4096

static int find_layout(struct hpkm_anchor *a)
{
	bool first = true;

	for (size_t i = 0; i < a->elf.segment_count; i++) {
		const Elf64_Phdr *p = &a->elf.segments[i];

		if (p->p_type == PT_TLS) {
			a->tls_size = p->p_memsz;
			a->tls_align = p->p_align;
		}
		if (p->p_type != PT_LOAD)
			continue;
		if (first && p->p_offset / PAGE) {
			hpkm_error("%s: its first segment does not map the start of the file",
				   a->elf.path);
			return -1;
		}
		if (first)
			a->base = p->p_vaddr & ~(uint64_t)(PAGE - 1);
		first = false;
		if (p->p_vaddr < a->base) {
			hpkm_error("%s: its segments are not in order",
				   a->elf.path);
			return -1;
		}
		if (p->p_vaddr + p->p_memsz > a->end)
			a->end = p->p_vaddr + p->p_memsz;
	}
	if (first || a->end <= a->base) {
		hpkm_error("%s: it has no segments to load", a->elf.path);
		return -1;
	}
	return 0;
}

/*
 * The first page in memory.  A short first segment is followed there by what
 * follows it in the file: pages are mapped whole.
 */
static const uint8_t *first_page(const struct hpkm_anchor *a)
{
	for (size_t i = 0; i < a->elf.segment_count; i++) {
		const Elf64_Phdr *p = &a->elf.segments[i];

		if (p->p_type != PT_LOAD)
			continue;
		/* What is behind a writable one was set to zero. */
		if (a->elf.size < PAGE || (p->p_filesz < PAGE &&
					   p->p_flags & PF_W))
			return NULL;
		return a->elf.bytes;
	}
	return NULL;
}

static int find_identity(struct hpkm_anchor *a)
{
	struct sha256_ctx sha;
	const uint8_t *page;
	uint64_t addr;
	uint8_t *digest;

	a->id = hpkm_elf_build_id(&a->elf, &a->id_size, &addr);
	if (a->id && a->id_size && a->id_size <= 64 && addr >= a->base &&
	    hpkm_anchor_bytes(a, addr, a->id_size)) {
		a->id_offset = addr - a->base;
		return 0;
	}
	page = first_page(a);
	if (!page) {
		hpkm_error("%s: no build-id, and its first page is not whole",
			   a->elf.path);
		return -1;
	}
	digest = hpkm_arena_alloc(a->arena, SHA256_DIGEST_SIZE, 1);
	sha256_init(&sha);
	sha256_update(&sha, PAGE, page);
	sha256_digest(&sha, SHA256_DIGEST_SIZE, digest);
	a->id = digest;
	a->id_size = SHA256_DIGEST_SIZE;
	a->id_is_digest = true;
	a->id_offset = 0;
	return 0;
}

/* ---- symbols ---- */

static int compare_symbols(const void *x, const void *y)
{
	const struct hpkm_anchor_symbol *a = x, *b = y;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return b->global - a->global;
}

static int compare_code(const void *x, const void *y)
{
	const struct hpkm_anchor_symbol *a =
		*(const struct hpkm_anchor_symbol *const *)x;
	const struct hpkm_anchor_symbol *b =
		*(const struct hpkm_anchor_symbol *const *)y;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static int compare_imports(const void *x, const void *y)
{
	const struct hpkm_anchor_import *a = x, *b = y;

	return strcmp(a->name, b->name);
}

/* "stdout@GLIBC_2.2.5" -> "stdout" */
static const char *plain_name(struct hpkm_arena *arena, const char *name)
{
	size_t n = strcspn(name, "@");

	return name[n] && n ? hpkm_arena_printf(arena, "%.*s", (int)n, name) :
		name;
}

static bool in_code(const struct hpkm_anchor *a, uint64_t addr)
{
	for (size_t i = 0; i < a->elf.segment_count; i++) {
		const Elf64_Phdr *p = &a->elf.segments[i];

		if (p->p_type == PT_LOAD && p->p_flags & PF_X &&
		    addr >= p->p_vaddr && addr - p->p_vaddr < p->p_memsz)
			return true;
	}
	return false;
}

/*
 * A global that became local in the link: it is hidden, which is never said of a
 * static one, or a version script made it local, and GNU ld puts those behind a
 * file without a name.
 */
static bool was_global(const struct hpkm_elf_symbol *sym)
{
	return sym->bind == STB_LOCAL &&
		(sym->visibility != STV_DEFAULT || (sym->file && !*sym->file));
}

static const struct hpkm_elf_section *typed_section(const struct hpkm_anchor *a,
						    uint32_t type)
{
	for (size_t i = 1; i < a->elf.section_count; i++)
		if (a->elf.sections[i].type == type && a->elf.sections[i].data)
			return &a->elf.sections[i];
	return NULL;
}

/* A string of the table that belongs to a section of versions. */
static const char *version_name(const struct hpkm_anchor *a,
				const struct hpkm_elf_section *of,
				uint32_t offset)
{
	const struct hpkm_elf_section *names;

	if (of->link >= a->elf.section_count)
		return "";
	names = &a->elf.sections[of->link];
	return names->data && offset < names->size &&
		memchr(names->data + offset, 0, names->size - offset) ?
		(const char *)names->data + offset : "";
}

/* The version that the anchor defines under a number, or, @name, of a name. */
static const char *defined_version(const struct hpkm_anchor *a, uint16_t index,
				   const char *name)
{
	const struct hpkm_elf_section *s = typed_section(a, SHT_GNU_verdef);
	Elf64_Verdaux aux;
	Elf64_Verdef def;
	const char *found;

	for (uint64_t at = 0; s && hpkm_inside(at, sizeof(def), s->size);
	     at += def.vd_next) {
		memcpy(&def, s->data + at, sizeof(def));
		/* The first is the name of the file. */
		if (!(def.vd_flags & VER_FLG_BASE) && def.vd_cnt &&
		    hpkm_inside(at + def.vd_aux, sizeof(aux), s->size)) {
			memcpy(&aux, s->data + at + def.vd_aux, sizeof(aux));
			found = version_name(a, s, aux.vda_name);
			if (name ? !strcmp(found, name) :
			    (def.vd_ndx & 0x7fff) == index)
				return found;
		}
		if (!def.vd_next)
			break;
	}
	return "";
}

/* In .symtab it stands in the name, in .dynsym in a table beside it. */
static void find_version(const struct hpkm_anchor *a,
			 const struct hpkm_elf_symbol *sym,
			 struct hpkm_anchor_symbol *to)
{
	const struct hpkm_elf_symtab *dyn = &a->elf.dynsym;
	const char *at = strchr(sym->name, '@');
	const struct hpkm_elf_section *s;
	uint16_t index;

	to->version = "";
	to->superseded = false;
	if (sym->section == HPKM_SECTION_UNDEF)
		return;
	if (at) {
		/* A copy of a library's variable has that one's version. */
		to->version = defined_version(a, 0, at + strspn(at, "@"));
		to->superseded = *to->version && at[1] != '@';
		return;
	}
	if (sym < dyn->symbols || sym >= dyn->symbols + dyn->count)
		return;
	s = typed_section(a, SHT_GNU_versym);
	if (!s || !hpkm_inside(2 * (sym - dyn->symbols), 2, s->size))
		return;
	memcpy(&index, s->data + 2 * (sym - dyn->symbols), 2);
	to->version = defined_version(a, index & 0x7fff, NULL);
	to->superseded = *to->version && index & 0x8000;
}

static void add_symbol(struct hpkm_anchor *a,
		       const struct hpkm_elf_symbol *sym)
{
	struct hpkm_anchor_symbol *to = &a->symbols[a->symbol_count];

	if (!*sym->name || sym->section == HPKM_SECTION_OTHER ||
	    sym->type == STT_FILE || sym->type == STT_SECTION)
		return;
	/*
	 * An imported function whose address is taken in a non-PIE has its
	 * PLT entry as that address.
	 */
	if (sym->section == HPKM_SECTION_UNDEF &&
	    (!sym->value || sym->type != STT_FUNC))
		return;
	to->name = plain_name(a->arena, sym->name);
	find_version(a, sym, to);
	to->file = sym->file;
	to->addr = sym->value;
	to->size = sym->section == HPKM_SECTION_UNDEF ? 0 : sym->size;
	to->type = sym->type;
	to->global = sym->bind != STB_LOCAL;
	to->was_global = was_global(sym);
	to->preemptible = a->library && to->global &&
		sym->visibility == STV_DEFAULT;
	a->symbol_count++;
}

struct file {
	const char *name;
	uint32_t count;
};

static int compare_files(const void *x, const void *y)
{
	const struct file *a = x, *b = y;

	return strcmp(a->name, b->name);
}

/* Compilers write names without their directories: several may have one. */
static void count_files(struct hpkm_anchor *a,
			const struct hpkm_elf_symtab *table)
{
	struct file *files, *found, key = { 0 };
	size_t count = 0, n = 0;

	files = hpkm_arena_alloc(a->arena, table->count, sizeof(*files));
	for (size_t i = 0; i < table->count; i++)
		if (table->symbols[i].type == STT_FILE)
			files[count++].name = table->symbols[i].name;
	if (count)
		qsort(files, count, sizeof(*files), compare_files);
	for (size_t i = 0; i < count; i++) {
		if (n && !compare_files(&files[n - 1], &files[i])) {
			files[n - 1].count++;
			continue;
		}
		files[n].name = files[i].name;
		files[n++].count = 1;
	}
	for (size_t i = 0; i < a->symbol_count; i++) {
		struct hpkm_anchor_symbol *s = &a->symbols[i];

		key.name = s->file;
		found = n && s->file ? bsearch(&key, files, n, sizeof(*files),
					       compare_files) : NULL;
		s->file_count = found ? found->count : 0;
	}
}

static void read_symbols(struct hpkm_anchor *a,
			 const struct hpkm_elf_symtab *table)
{
	const struct hpkm_elf_symtab *dyn = &a->elf.dynsym;

	a->symbols = hpkm_arena_alloc(a->arena, table->count + dyn->count,
				      sizeof(*a->symbols));
	for (size_t i = 1; i < table->count; i++)
		add_symbol(a, &table->symbols[i]);
	count_files(a, table);
	/* The small table has what the dynamic one has not. */
	for (size_t i = 1; a->partial && i < dyn->count; i++)
		add_symbol(a, &dyn->symbols[i]);
	if (a->symbol_count)
		qsort(a->symbols, a->symbol_count, sizeof(*a->symbols),
		      compare_symbols);

	a->code = hpkm_arena_alloc(a->arena, a->symbol_count,
				   sizeof(*a->code));
	for (size_t i = 0; i < a->symbol_count; i++) {
		struct hpkm_anchor_symbol *s = &a->symbols[i];

		if (s->type != STT_TLS && in_code(a, s->addr))
			a->code[a->code_count++] = s;
	}
	if (a->code_count)
		qsort(a->code, a->code_count, sizeof(*a->code), compare_code);
}

/* The needed version that an entry of .gnu.version stands for, "" if none. */
static const char *needed_version(const struct hpkm_anchor *a, uint16_t index)
{
	const struct hpkm_elf_section *s = typed_section(a, SHT_GNU_verneed);
	uint64_t at = 0;
	Elf64_Verneed need;
	Elf64_Vernaux aux;

	if (!s)
		return "";
	while (hpkm_inside(at, sizeof(need), s->size)) {
		uint64_t k;

		memcpy(&need, s->data + at, sizeof(need));
		k = at + need.vn_aux;
		for (int n = need.vn_cnt; n && hpkm_inside(k, sizeof(aux),
							   s->size); n--) {
			memcpy(&aux, s->data + k, sizeof(aux));
			if ((aux.vna_other & 0x7fff) == index)
				return version_name(a, s, aux.vna_name);
			if (!aux.vna_next)
				break;
			k += aux.vna_next;
		}
		if (!need.vn_next)
			break;
		at += need.vn_next;
	}
	return "";
}

static void read_imports(struct hpkm_anchor *a)
{
	const struct hpkm_elf_symtab *dyn = &a->elf.dynsym;
	const struct hpkm_elf_section *versions;

	versions = typed_section(a, SHT_GNU_versym);
	a->imports = hpkm_arena_alloc(a->arena, dyn->count,
				      sizeof(*a->imports));
	for (size_t i = 1; i < dyn->count; i++) {
		struct hpkm_anchor_import *to = &a->imports[a->import_count];
		uint16_t index = 0;

		if (dyn->symbols[i].section != HPKM_SECTION_UNDEF ||
		    !*dyn->symbols[i].name)
			continue;
		if (versions && hpkm_inside(2 * i, 2, versions->size))
			memcpy(&index, versions->data + 2 * i, 2);
		to->name = plain_name(a->arena, dyn->symbols[i].name);
		to->version = index > 1 ?
			needed_version(a, index & 0x7fff) : "";
		a->import_count++;
	}
	if (a->import_count)
		qsort(a->imports, a->import_count, sizeof(*a->imports),
		      compare_imports);
}

/* ---- GOT and PLT ---- */

static int compare_slots(const void *x, const void *y)
{
	const struct hpkm_anchor_slot *a = x, *b = y;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void read_slots(struct hpkm_anchor *a)
{
	const struct hpkm_elf_symtab *dyn = &a->elf.dynsym;

	for (size_t i = 1; i < a->elf.section_count; i++) {
		const struct hpkm_elf_section *s = &a->elf.sections[i];

		if (s->type != SHT_RELA || !(s->flags & SHF_ALLOC) || !s->data)
			continue;
		for (size_t k = 0; hpkm_inside(k, 24, s->size); k += 24) {
			struct hpkm_anchor_slot *slot;
			Elf64_Rela rela;
			size_t sym;

			memcpy(&rela, s->data + k, sizeof(rela));
			sym = ELF64_R_SYM(rela.r_info);
			a->slots = hpkm_arena_push(a->arena, a->slots,
						   a->slot_count,
						   sizeof(*a->slots));
			slot = &a->slots[a->slot_count++];
			memset(slot, 0, sizeof(*slot));
			slot->addr = rela.r_offset;
			slot->type = ELF64_R_TYPE(rela.r_info);
			slot->name = "";
			slot->value = rela.r_addend;
			if (sym && sym < dyn->count) {
				slot->name = plain_name(a->arena,
							dyn->symbols[sym].name);
				slot->value += dyn->symbols[sym].value;
			}
		}
	}
	if (a->slot_count)
		qsort(a->slots, a->slot_count, sizeof(*a->slots),
		      compare_slots);
}

static void read_plt(struct hpkm_anchor *a)
{
	for (size_t i = 1; i < a->elf.section_count; i++) {
		const struct hpkm_elf_section *s = &a->elf.sections[i];
		/* IFUNC entries of static programs have 8 bytes, others 16. */
		const uint64_t step = 8, most = 16;

		/* .plt, .plt.sec, .plt.got, .iplt */
		if (!(s->flags & SHF_EXECINSTR) || !s->data ||
		    !strstr(s->name, "plt"))
			continue;
		for (uint64_t at = 0; at < s->size; at += step) {
			const struct hpkm_anchor_slot *found;
			struct hpkm_anchor_slot *slot;
			uint64_t size = s->size - at, addr;

			if (!a->arch->plt_slot(s->data + at,
					       size < most ? size : most,
					       s->addr + at, &addr))
				continue;
			found = hpkm_anchor_slot_at(a, addr);
			if (!found)
				continue;
			slot = &a->slots[found - a->slots];
			if (!slot->plt)
				slot->plt = s->addr + at;
		}
	}
}

static void read_dynamic(struct hpkm_anchor *a)
{
	for (size_t i = 0; i < a->elf.segment_count; i++) {
		const Elf64_Phdr *p = &a->elf.segments[i];
		const uint8_t *dyn;
		bool pie = false;

		if (p->p_type != PT_DYNAMIC)
			continue;
		dyn = hpkm_anchor_bytes(a, p->p_vaddr, p->p_filesz);
		for (uint64_t k = 0; dyn && hpkm_inside(k, 16, p->p_filesz);
		     k += 16) {
			uint64_t tag = hpkm_get64(dyn + k);
			uint64_t value = hpkm_get64(dyn + k + 8);

			if (tag == DT_BIND_NOW ||
			    (tag == DT_FLAGS && value & DF_BIND_NOW) ||
			    (tag == DT_FLAGS_1 && value & DF_1_NOW))
				a->bind_now = true;
			if (tag == DT_FLAGS_1 && value & DF_1_PIE)
				pie = true;
			if (tag == DT_NULL)
				break;
		}
		a->library = !a->fixed && !pie;
	}
	/* Older linkers do not mark a PIE, but it names its loader. */
	for (size_t i = 0; i < a->elf.segment_count; i++) {
		if (a->elf.segments[i].p_type != PT_INTERP)
			continue;
		a->dynamic = true;
		if (!hpkm_elf_section(&a->elf, ".gnu.version_d"))
			a->library = false;
	}
	a->dynamic |= a->library;
}

int hpkm_anchor_open(struct hpkm_arena *arena, struct hpkm_anchor *a,
		     const char *path, const char *debug_path)
{
	const struct hpkm_elf_symtab *table;
	const char *slash = strrchr(path, '/');

	memset(a, 0, sizeof(*a));
	a->arena = arena;
	a->name = slash ? slash + 1 : path;
	if (hpkm_elf_open(arena, &a->elf, path))
		return -1;
	if (a->elf.type != ET_EXEC && a->elf.type != ET_DYN) {
		hpkm_error("%s: neither an executable nor a shared library",
			   path);
		return -1;
	}
	a->arch = hpkm_arch_find(a->elf.machine);
	if (!a->arch) {
		hpkm_error("%s: machine %u is not supported", path,
			   a->elf.machine);
		return -1;
	}
	a->fixed = a->elf.type == ET_EXEC;
	if (find_layout(a) || find_identity(a))
		return -1;
	read_dynamic(a);
	if (hpkm_symbols_find(a, debug_path))
		return -1;
	table = a->debug.symtab.count > 1 ? &a->debug.symtab : &a->elf.symtab;
	read_symbols(a, table);
	read_imports(a);
	read_slots(a);
	read_plt(a);
	return 0;
}

/* With a name that is @length long. */
static int compare_plain(const char *symbol, const char *name, size_t length)
{
	int order = strncmp(symbol, name, length);

	return order ? order : symbol[length] != 0;
}

const struct hpkm_anchor_symbol *
hpkm_anchor_find(const struct hpkm_anchor *a, const char *name, size_t *count)
{
	size_t low = 0, high = a->symbol_count;
	size_t length = *name == '@' ? strlen(name) : strcspn(name, "@");

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_plain(a->symbols[mid].name, name, length) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*count = 0;
	while (low + *count < a->symbol_count &&
	       !compare_plain(a->symbols[low + *count].name, name, length))
		++*count;
	return *count ? &a->symbols[low] : NULL;
}

bool hpkm_anchor_is_meant(const struct hpkm_anchor_symbol *s, const char *name)
{
	const char *at = *name ? strchr(name + 1, '@') : NULL;

	return at ? !strcmp(s->version, at + strspn(at, "@")) : !s->superseded;
}

const struct hpkm_anchor_symbol *
hpkm_anchor_global(const struct hpkm_anchor *a, const char *name)
{
	const struct hpkm_anchor_symbol *found, *hidden = NULL;
	size_t count;

	found = hpkm_anchor_find(a, name, &count);
	for (size_t i = 0; i < count; i++) {
		if (!hpkm_anchor_is_meant(&found[i], name))
			continue;
		if (found[i].global)
			return &found[i];
		if (found[i].was_global)
			hidden = &found[i];
	}
	return hidden;
}

const struct hpkm_anchor_import *
hpkm_anchor_import(const struct hpkm_anchor *a, const char *name)
{
	struct hpkm_anchor_import key = { .name = name };

	return a->import_count ? bsearch(&key, a->imports, a->import_count,
					 sizeof(key), compare_imports) : NULL;
}

const struct hpkm_anchor_symbol *
hpkm_anchor_code_after(const struct hpkm_anchor *a, uint64_t addr)
{
	size_t low = 0, high = a->code_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (a->code[mid]->addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < a->code_count ? a->code[low] : NULL;
}

const struct hpkm_anchor_slot *
hpkm_anchor_slot_at(const struct hpkm_anchor *a, uint64_t addr)
{
	struct hpkm_anchor_slot key = { .addr = addr };

	return a->slot_count ? bsearch(&key, a->slots, a->slot_count,
				       sizeof(key), compare_slots) : NULL;
}

const struct hpkm_anchor_slot *
hpkm_anchor_slot(const struct hpkm_anchor *a, const char *name, uint32_t type)
{
	for (size_t i = 0; i < a->slot_count; i++)
		if (a->slots[i].type == type && !strcmp(a->slots[i].name, name))
			return &a->slots[i];
	return NULL;
}

const struct hpkm_anchor_slot *
hpkm_anchor_ifunc(const struct hpkm_anchor *a, uint64_t resolver)
{
	for (size_t i = 0; i < a->slot_count; i++)
		if (a->slots[i].type == a->arch->type_irelative &&
		    a->slots[i].value == resolver)
			return &a->slots[i];
	return NULL;
}

uint64_t hpkm_anchor_plt(const struct hpkm_anchor *a, const char *name,
			 uint64_t own)
{
	size_t length = strcspn(name, "@");

	for (size_t i = 0; i < a->slot_count; i++)
		if (a->slots[i].plt &&
		    !compare_plain(a->slots[i].name, name, length) &&
		    (!own || a->slots[i].value == own))
			return a->slots[i].plt;
	return 0;
}

bool hpkm_anchor_pointer(const struct hpkm_anchor *a, uint64_t addr,
			 uint64_t *value)
{
	const struct hpkm_anchor_slot *slot = hpkm_anchor_slot_at(a, addr);
	const uint8_t *bytes;

	if (slot) {
		*value = slot->value;
		return slot->type == a->arch->type_relative;
	}
	bytes = hpkm_anchor_bytes(a, addr, 8);
	if (!bytes)
		return false;
	*value = hpkm_get64(bytes);
	return true;
}
