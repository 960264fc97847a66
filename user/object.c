// SPDX-License-Identifier: GPL-2.0
/*
 * A relocatable file, seen as items and references.  With -ffunction-sections
 * and -fdata-sections nearly each item has a section of its own; where it has
 * not (assembler sources), its symbol's size says how far it goes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hpkm.h"
#include "object.h"

size_t hpkm_name_base(const char *name)
{
	size_t n = strlen(name), digits;

	for (;;) {
		digits = 0;
		while (digits < n && name[n - 1 - digits] >= '0' &&
		       name[n - 1 - digits] <= '9')
			digits++;
		if (!digits || digits + 1 >= n || name[n - 1 - digits] != '.')
			return n;
		n -= digits + 1;
	}
}

bool hpkm_item_numbered(const struct hpkm_item *item)
{
	return !item->global && item->name[hpkm_name_base(item->name)];
}

bool hpkm_item_same_base(const struct hpkm_item *a, const struct hpkm_item *b)
{
	size_t n = hpkm_name_base(a->name);

	return a->kind == b->kind && n == hpkm_name_base(b->name) &&
		!memcmp(a->name, b->name, n);
}

static bool is_cold_name(const char *name)
{
	size_t n = hpkm_name_base(name);

	return n > 5 && !memcmp(name + n - 5, ".cold", 5);
}

static bool is_relro_name(const char *name)
{
	return !strncmp(name, ".data.rel.ro", 12);
}

static enum hpkm_item_kind item_kind(const struct hpkm_elf *elf,
				     const struct hpkm_elf_symbol *sym)
{
	const struct hpkm_elf_section *s;

	if (sym->section == HPKM_SECTION_COMMON)
		return sym->type == STT_TLS ? HPKM_ITEM_TLS : HPKM_ITEM_DATA;
	s = &elf->sections[sym->section];
	if (s->flags & SHF_TLS)
		return HPKM_ITEM_TLS;
	if (s->flags & SHF_EXECINSTR)
		return is_cold_name(sym->name) ? HPKM_ITEM_COLD :
			HPKM_ITEM_FUNC;
	if (s->flags & SHF_WRITE && !is_relro_name(s->name))
		return HPKM_ITEM_DATA;
	return HPKM_ITEM_CONST;
}

static bool names_item(const struct hpkm_elf *elf,
		       const struct hpkm_elf_symbol *sym)
{
	if (sym->section == HPKM_SECTION_COMMON)
		return true;
	if (!sym->section || sym->section >= HPKM_SECTION_OTHER ||
	    !(elf->sections[sym->section].flags & SHF_ALLOC) || !*sym->name)
		return false;
	/* The compiler's own labels (".L.str.5") have other numbers in each. */
	if (sym->bind == STB_LOCAL && !strncmp(sym->name, ".L", 2))
		return false;
	switch (sym->type) {
	case STT_FUNC:
	case STT_OBJECT:
	case STT_TLS:
	case STT_GNU_IFUNC:
		return true;
	case STT_NOTYPE:
		/* Local ones are labels inside of something. */
		return sym->bind != STB_LOCAL;
	}
	return false;
}

static int compare_place(const void *a, const void *b)
{
	const struct hpkm_item *x = *(struct hpkm_item *const *)a;
	const struct hpkm_item *y = *(struct hpkm_item *const *)b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	/* Global names first: they are the same in every build. */
	if (x->global != y->global)
		return x->global ? -1 : 1;
	return x->symbol < y->symbol ? -1 : x->symbol > y->symbol;
}

static int compare_name(const void *a, const void *b)
{
	const struct hpkm_name *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : compare_place(&x->item, &y->item);
}

static void add_name(struct hpkm_object *o, const struct hpkm_elf_symbol *sym,
		     struct hpkm_item *item)
{
	o->of_symbol[sym - o->elf.symtab.symbols] = item;
	o->names[o->name_count++] = (struct hpkm_name){
		.name = sym->name,
		.item = item,
		.global = sym->bind != STB_LOCAL,
	};
}

/* Symbols at one place are one item; the first in order names it. */
static void merge_aliases(struct hpkm_object *o)
{
	struct hpkm_item *before = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < o->item_count; i++) {
		struct hpkm_item *item = o->items[i];

		if (before && before->section == item->section &&
		    item->section != HPKM_SECTION_COMMON &&
		    before->offset == item->offset &&
		    before->kind == item->kind) {
			if (item->size > before->size)
				before->size = item->size;
			before->ifunc |= item->ifunc;
			add_name(o, item->symbol, before);
			continue;
		}
		add_name(o, item->symbol, item);
		o->items[kept++] = item;
		before = item;
	}
	o->item_count = kept;
}

static void place_items(struct hpkm_object *o)
{
	struct hpkm_item *item, *next;
	uint64_t limit;

	for (size_t i = o->item_count; i--;) {
		item = o->items[i];
		if (item->section == HPKM_SECTION_COMMON)
			continue;
		next = o->of_section[item->section];
		item->next = next;
		o->of_section[item->section] = item;
		/* Without a size it goes up to the next one. */
		limit = next ? next->offset : hpkm_item_section(item)->size;
		if (!item->size)
			item->size = limit - item->offset;
	}
	for (size_t i = 0; i < o->item_count; i++) {
		item = o->items[i];
		item->alone = item->section != HPKM_SECTION_COMMON &&
			o->of_section[item->section] == item && !item->next &&
			!(hpkm_item_section(item)->flags & SHF_MERGE);
	}
}

static void find_parents(struct hpkm_object *o)
{
	for (size_t i = 0; i < o->item_count; i++) {
		struct hpkm_item *item = o->items[i];
		const struct hpkm_name *found;
		size_t base, count;
		char *name;

		if (item->kind != HPKM_ITEM_COLD)
			continue;
		base = hpkm_name_base(item->name) - strlen(".cold");
		name = hpkm_arena_printf(o->arena, "%.*s", (int)base,
					 item->name);
		found = hpkm_object_find(o, name, &count);
		if (found && found->item->kind == HPKM_ITEM_FUNC)
			item->parent = found->item;
		else
			item->kind = HPKM_ITEM_FUNC;
	}
}

/* Every field that a relocation fills lies inside its section. */
static int check_relocs(const struct hpkm_object *o)
{
	for (size_t i = 1; i < o->elf.section_count; i++) {
		const struct hpkm_elf_section *s = &o->elf.sections[i];

		for (size_t k = 0; k < s->reloc_count; k++) {
			const struct hpkm_elf_reloc *r = &s->relocs[k];

			if (hpkm_inside(r->offset,
					hpkm_rel_size(o->arch->rel(r->type)),
					s->size))
				continue;
			hpkm_error("%s: damaged ELF file: relocation %zu of %s is outside of it",
				   o->elf.path, k, s->name);
			return -1;
		}
	}
	return 0;
}

/* GCC's intermediate code, alone or beside machine code. */
static void find_lto(struct hpkm_object *o)
{
	for (size_t i = 1; i < o->elf.section_count; i++)
		if (!strncmp(o->elf.sections[i].name, ".gnu.lto_", 9) ||
		    !strcmp(o->elf.sections[i].name, ".llvm.lto"))
			o->lto = "intermediate code of -flto";
}

int hpkm_object_scan(struct hpkm_arena *arena, struct hpkm_object *o)
{
	const struct hpkm_elf_symtab *t = &o->elf.symtab;
	size_t sections = o->elf.section_count;

	o->arena = arena;
	if (o->elf.type != ET_REL) {
		hpkm_error("%s: not a relocatable object file (.o)",
			   o->elf.path);
		return -1;
	}
	o->arch = hpkm_arch_find(o->elf.machine);
	if (!o->arch) {
		hpkm_error("%s: machine %u is not supported", o->elf.path,
			   o->elf.machine);
		return -1;
	}
	if (check_relocs(o))
		return -1;
	o->items = hpkm_arena_alloc(arena, t->count, sizeof(*o->items));
	o->names = hpkm_arena_alloc(arena, t->count, sizeof(*o->names));
	o->of_symbol = hpkm_arena_alloc(arena, t->count,
					sizeof(*o->of_symbol));
	o->of_section = hpkm_arena_alloc(arena, sections,
					 sizeof(*o->of_section));
	o->code = hpkm_arena_alloc(arena, sections, sizeof(*o->code));
	o->tails = hpkm_arena_alloc(arena, sections, sizeof(*o->tails));
	o->section_piece = hpkm_arena_alloc(arena, sections,
					    sizeof(*o->section_piece));

	for (size_t i = 1; i < t->count; i++) {
		const struct hpkm_elf_symbol *sym = &t->symbols[i];
		struct hpkm_item *item;

		if (sym->type == STT_FILE && !o->file)
			o->file = sym->name;
		if (!names_item(&o->elf, sym))
			continue;
		item = hpkm_arena_alloc(arena, 1, sizeof(*item));
		item->object = o;
		item->symbol = sym;
		item->name = sym->name;
		item->section = sym->section;
		if (sym->section != HPKM_SECTION_COMMON)
			item->offset = sym->value;
		item->size = sym->size;
		item->kind = item_kind(&o->elf, sym);
		item->global = sym->bind != STB_LOCAL;
		item->ifunc = sym->type == STT_GNU_IFUNC;
		o->items[o->item_count++] = item;
	}
	if (o->item_count)
		qsort(o->items, o->item_count, sizeof(*o->items),
		      compare_place);
	merge_aliases(o);
	place_items(o);
	if (o->name_count)
		qsort(o->names, o->name_count, sizeof(*o->names),
		      compare_name);
	find_parents(o);
	find_lto(o);
	return 0;
}

/* What clang -flto writes is no ELF file: "BC", or a wrapper around it. */
static bool is_bitcode(const uint8_t *bytes, size_t size)
{
	static const uint8_t plain[] = { 'B', 'C', 0xc0, 0xde };
	static const uint8_t wrapped[] = { 0xde, 0xc0, 0x17, 0x0b };

	return size >= sizeof(plain) &&
		(!memcmp(bytes, plain, sizeof(plain)) ||
		 !memcmp(bytes, wrapped, sizeof(wrapped)));
}

int hpkm_object_open(struct hpkm_arena *arena, struct hpkm_object *object,
		     const char *path)
{
	uint8_t *bytes;
	size_t size;

	memset(object, 0, sizeof(*object));
	bytes = hpkm_file_read(arena, path, &size);
	if (!bytes)
		return -1;
	if (is_bitcode(bytes, size)) {
		object->elf.path = path;
		object->elf.type = ET_REL;
		object->elf.machine = EM_X86_64;	/* unknown, really */
		object->lto = "LLVM bitcode";
	} else if (hpkm_elf_parse(arena, &object->elf, path, bytes, size)) {
		return -1;
	}
	return hpkm_object_scan(arena, object);
}

int hpkm_object_none(struct hpkm_arena *arena, struct hpkm_object *object,
		     const struct hpkm_object *like)
{
	memset(object, 0, sizeof(*object));
	object->elf.path = "(none)";
	object->elf.type = ET_REL;
	object->elf.machine = like->elf.machine;
	return hpkm_object_scan(arena, object);
}

const struct hpkm_name *hpkm_object_find(const struct hpkm_object *o,
					 const char *name, size_t *count)
{
	size_t low = 0, high = o->name_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(o->names[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*count = 0;
	while (low + *count < o->name_count &&
	       !strcmp(o->names[low + *count].name, name))
		++*count;
	return *count ? &o->names[low] : NULL;
}

void hpkm_object_relocs(const struct hpkm_object *o, uint32_t section,
			uint64_t start, uint64_t end, size_t *first,
			size_t *count)
{
	const struct hpkm_elf_section *s = &o->elf.sections[section];
	size_t low = 0, high = s->reloc_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->relocs[mid].offset < start)
			low = mid + 1;
		else
			high = mid;
	}
	*first = low;
	while (low < s->reloc_count && s->relocs[low].offset < end)
		low++;
	*count = low - *first;
}

const struct hpkm_code *hpkm_object_code(struct hpkm_object *o,
					 uint32_t section)
{
	const struct hpkm_elf_section *s = &o->elf.sections[section];

	if (o->code[section])
		return o->code[section];
	o->code[section] = hpkm_arena_alloc(o->arena, 1,
					    sizeof(struct hpkm_code));
	if (s->data)
		o->arch->decode(o->arena, s->data, s->size, 0,
				o->code[section]);
	return o->code[section];
}

unsigned int hpkm_object_tail(struct hpkm_object *o, uint32_t section,
			      size_t i)
{
	const struct hpkm_elf_section *s = &o->elf.sections[section];
	const struct hpkm_code *code;
	uint8_t *tails;
	size_t k = 0;

	if (!(s->flags & SHF_EXECINSTR))
		return 0;
	if (o->tails[section])
		return o->tails[section][i];
	code = hpkm_object_code(o, section);
	tails = hpkm_arena_alloc(o->arena, s->reloc_count, 1);
	for (size_t r = 0; r < s->reloc_count; r++) {
		uint64_t place = s->relocs[r].offset;

		while (k < code->count &&
		       code->insns[k].offset + code->insns[k].size <= place)
			k++;
		/* Where nothing can be decoded: the usual one. */
		tails[r] = 4;
		if (k < code->count && place >= code->insns[k].offset)
			tails[r] = code->insns[k].offset +
				code->insns[k].size - place;
	}
	o->tails[section] = tails;
	return tails[i];
}

uint64_t hpkm_string_size(const struct hpkm_elf_section *s, uint64_t offset)
{
	uint64_t unit = s->entsize ? s->entsize : 1;

	for (uint64_t at = offset; hpkm_inside(at, unit, s->size);
	     at += unit) {
		uint64_t i = 0;

		while (i < unit && !s->data[at + i])
			i++;
		if (i == unit)
			return at + unit - offset;
	}
	return 0;
}

/*
 * What a place in a section belongs to is decided by @start, where the symbol
 * stands: an assembler keeps the symbol when an addend leads away from it,
 * as in "abc"[c - 'a'], which may look like a place in another string.
 */
static void section_ref(struct hpkm_object *o, struct hpkm_ref *ref,
			int64_t start)
{
	const struct hpkm_elf_section *s = &o->elf.sections[ref->section];
	struct hpkm_item *item = o->of_section[ref->section];
	bool within = start >= 0 && (uint64_t)start < s->size;

	/*
	 * A lone item owns all references into its section, those a little
	 * outside of it too ("table - 1" is one).
	 */
	if (item && !item->alone) {
		while (item && (start < (int64_t)item->offset ||
				start >= (int64_t)(item->offset +
						   item->size)))
			item = item->next;
	}
	if (item) {
		ref->kind = HPKM_REF_ITEM;
		ref->item = item;
		ref->offset -= item->offset;
		return;
	}
	ref->kind = HPKM_REF_SECTION;
	if (!(s->flags & SHF_MERGE) || !within || !s->data || s->reloc_count)
		return;
	if (s->flags & SHF_STRINGS) {
		if (!hpkm_string_size(s, start))
			return;
		ref->kind = HPKM_REF_STRING;
	} else {
		if (!s->entsize || s->entsize > 4096 || s->size % s->entsize)
			return;
		ref->kind = HPKM_REF_CONSTANT;
	}
	ref->delta = ref->offset - start;
	ref->offset = start;
}

int hpkm_object_ref(struct hpkm_object *o, uint32_t section, size_t i,
		    struct hpkm_ref *ref)
{
	const struct hpkm_elf_reloc *r = &o->elf.sections[section].relocs[i];
	const struct hpkm_elf_symbol *sym = &o->elf.symtab.symbols[r->symbol];

	memset(ref, 0, sizeof(*ref));
	ref->symbol = sym;
	if (r->addend > 1LL << 40 || r->addend < -(1LL << 40)) {
		hpkm_error("%s: damaged ELF file: relocation addend",
			   o->elf.path);
		return -1;
	}
	ref->offset = r->addend;
	if (hpkm_rel_pcrel(o->arch->rel(r->type)))
		ref->offset += hpkm_object_tail(o, section, i);
	if (!r->symbol || sym->section == HPKM_SECTION_ABS) {
		ref->kind = HPKM_REF_ABSOLUTE;
		ref->offset += sym->value;
		return 0;
	}
	if (sym->section == HPKM_SECTION_UNDEF) {
		ref->kind = HPKM_REF_UNDEF;
		return 0;
	}
	if (o->of_symbol[r->symbol]) {
		ref->kind = HPKM_REF_ITEM;
		ref->item = o->of_symbol[r->symbol];
		return 0;
	}
	if (sym->section >= HPKM_SECTION_OTHER) {
		hpkm_error("%s: symbol %s is in no section", o->elf.path,
			   sym->name);
		return -1;
	}
	ref->section = sym->section;
	ref->offset += sym->value;
	section_ref(o, ref, sym->type == STT_SECTION ? ref->offset :
		    (int64_t)sym->value);
	return 0;
}

static bool comment_says(const struct hpkm_object *o, const char *text)
{
	const struct hpkm_elf_section *s = hpkm_elf_section(&o->elf,
							    ".comment");

	return s && s->data && memmem(s->data, s->size, text, strlen(text));
}

bool hpkm_object_by_clang(const struct hpkm_object *o)
{
	return comment_says(o, "clang version");
}

bool hpkm_object_is_pool(const struct hpkm_object *o, uint32_t section)
{
	const struct hpkm_elf_section *s = &o->elf.sections[section];

	/*
	 * With -fdata-sections no variable is there, named or not; what an
	 * assembler put there holds no addresses, most likely.
	 */
	if (strcmp(s->name, ".data") || !s->data || !s->reloc_count ||
	    o->of_section[section])
		return false;
	return comment_says(o, "GCC: (");
}

static int compare_offsets(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static void find_bounds(struct hpkm_object *o)
{
	struct hpkm_bounds *b;
	struct hpkm_ref ref;

	o->bounds = hpkm_arena_alloc(o->arena, o->elf.section_count,
				     sizeof(*o->bounds));
	for (uint32_t s = 1; s < o->elf.section_count; s++) {
		for (size_t i = 0; i < o->elf.sections[s].reloc_count; i++) {
			if (hpkm_object_ref(o, s, i, &ref) ||
			    ref.kind != HPKM_REF_SECTION || ref.offset <= 0)
				continue;
			b = &o->bounds[ref.section];
			b->offsets = hpkm_arena_push(o->arena, b->offsets,
						     b->count,
						     sizeof(*b->offsets));
			b->offsets[b->count++] = ref.offset;
		}
	}
	for (uint32_t s = 1; s < o->elf.section_count; s++)
		if (o->bounds[s].count)
			qsort(o->bounds[s].offsets, o->bounds[s].count,
			      sizeof(uint64_t), compare_offsets);
}

uint64_t hpkm_object_extent(struct hpkm_object *o, uint32_t section,
			    uint64_t offset, uint64_t *content)
{
	const struct hpkm_elf_section *s = &o->elf.sections[section];
	const struct hpkm_bounds *b;
	uint64_t end = s->size, last;
	size_t first, count;

	if (!o->bounds)
		find_bounds(o);
	b = &o->bounds[section];
	for (size_t i = 0; i < b->count; i++) {
		if (b->offsets[i] > offset) {
			if (b->offsets[i] < end)
				end = b->offsets[i];
			break;
		}
	}
	if (!s->data || offset >= end) {
		*content = end;
		return end;
	}
	hpkm_object_relocs(o, section, offset, end, &first, &count);
	last = offset;
	if (count)
		last = s->relocs[first + count - 1].offset +
			hpkm_rel_size(o->arch->rel(s->relocs[first + count - 1]
						   .type));
	for (*content = end; *content > last && *content - 1 > offset &&
	     !s->data[*content - 1] && !s->data[*content - 2];)
		--*content;
	return end;
}
