// SPDX-License-Identifier: GPL-2.0
/*
 * The DWARF of a relocatable file.  libdwfl applies its relocations, having
 * given each section an address of its own, and understands compressed
 * sections; addresses are turned back into sections and offsets here.
 */
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "debuginfo.h"

/* Functions in functions, blocks in blocks: deeper is not C. */
#define NESTING_MAX 256

struct row {
	uint64_t offset;
	uint32_t section;
	unsigned int line;
	size_t order;		/* the later row of two at one place counts */
};

struct hpkm_debuginfo {
	struct hpkm_object *object;
	Dwfl *dwfl;
	Dwfl_Module *module;
	Dwarf *dwarf;		/* NULL: nothing can be read */
	bool rows_read;
	struct row *rows;	/* sorted */
	size_t row_count;
};

/* No other file is looked for. */
static int find_nothing(Dwfl_Module *module, void **data, const char *name,
			Dwarf_Addr base, char **file, Elf **elf)
{
	return -1;
}

static int find_no_debug(Dwfl_Module *module, void **data, const char *name,
			 Dwarf_Addr base, const char *file, const char *link,
			 GElf_Word crc, char **debug)
{
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_nothing,
	.find_debuginfo = find_no_debug,
	.section_address = dwfl_offline_section_address,
};

/* The bytes that were checked, not what the path may have become since. */
static int copy_of(const struct hpkm_elf *elf)
{
	int fd = memfd_create("object", MFD_CLOEXEC);
	size_t done = 0;
	ssize_t n;

	while (fd >= 0 && done < elf->size) {
		n = write(fd, elf->bytes + done, elf->size - done);
		if (n <= 0) {
			close(fd);
			return -1;
		}
		done += n;
	}
	return fd;
}

bool hpkm_debuginfo_open(struct hpkm_object *o)
{
	struct hpkm_debuginfo *d = o->debuginfo;
	Dwarf_Addr bias;
	int fd;

	if (d)
		return d->dwarf;
	d = hpkm_arena_alloc(o->arena, 1, sizeof(*d));
	d->object = o;
	o->debuginfo = d;
	if (!hpkm_elf_section(&o->elf, ".debug_info"))
		return false;
	fd = copy_of(&o->elf);
	if (fd < 0)
		return false;
	d->dwfl = dwfl_begin(&callbacks);
	if (d->dwfl)
		d->module = dwfl_report_offline(d->dwfl, "object", "object",
						fd);
	/* With a module the descriptor is its own. */
	if (!d->module) {
		close(fd);
		return false;
	}
	dwfl_report_end(d->dwfl, NULL, NULL);
	d->dwarf = dwfl_module_getdwarf(d->module, &bias);
	return d->dwarf;
}

void hpkm_debuginfo_close(struct hpkm_object *o)
{
	if (o->debuginfo && o->debuginfo->dwfl)
		dwfl_end(o->debuginfo->dwfl);
	o->debuginfo = NULL;
}

Dwarf *hpkm_debuginfo_dwarf(const struct hpkm_object *o)
{
	return o->debuginfo ? o->debuginfo->dwarf : NULL;
}

bool hpkm_debuginfo_place(struct hpkm_object *o, Dwarf_Addr addr,
			  uint32_t *section, uint64_t *offset)
{
	Dwfl_Module *module = o->debuginfo->module;
	GElf_Word index = 0;
	int i;

	i = dwfl_module_relocate_address(module, &addr);
	if (i < 0 || !dwfl_module_relocation_info(module, i, &index) ||
	    !index || index >= o->elf.section_count ||
	    addr > o->elf.sections[index].size)
		return false;
	*section = index;
	*offset = addr;
	return true;
}

/* ---- lines ---- */

static int compare_rows(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->section != b->section)
		return a->section < b->section ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void read_unit(struct hpkm_debuginfo *d, Dwarf_Die *unit)
{
	struct hpkm_object *o = d->object;
	Dwarf_Lines *lines;
	size_t count;

	if (dwarf_getsrclines(unit, &lines, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		Dwarf_Line *line = dwarf_onesrcline(lines, i);
		struct row row = { .order = d->row_count };
		Dwarf_Addr addr;
		bool end;
		int number;

		if (!line || dwarf_lineaddr(line, &addr) ||
		    dwarf_lineno(line, &number) ||
		    dwarf_lineendsequence(line, &end) || end ||
		    !hpkm_debuginfo_place(o, addr, &row.section, &row.offset))
			continue;
		row.line = number;
		d->rows = hpkm_arena_push(o->arena, d->rows, d->row_count,
					  sizeof(row));
		d->rows[d->row_count++] = row;
	}
}

static void read_rows(struct hpkm_debuginfo *d)
{
	Dwarf_Die unit, sub;
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	uint8_t type;

	d->rows_read = true;
	while (!dwarf_get_units(d->dwarf, cu, &cu, &version, &type, &unit,
				&sub))
		read_unit(d, &unit);
	if (d->row_count)
		qsort(d->rows, d->row_count, sizeof(*d->rows), compare_rows);
}

unsigned int hpkm_debuginfo_line(struct hpkm_object *o, uint32_t section,
				 uint64_t offset)
{
	struct hpkm_debuginfo *d = o->debuginfo;
	size_t low = 0, high;

	if (!d || !d->dwarf)
		return 0;
	if (!d->rows_read)
		read_rows(d);
	high = d->row_count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (d->rows[mid].section < section ||
		    (d->rows[mid].section == section &&
		     d->rows[mid].offset <= offset))
			low = mid + 1;
		else
			high = mid;
	}
	return low && d->rows[low - 1].section == section ?
		d->rows[low - 1].line : 0;
}

/* ---- static variables ---- */

/* DW_OP_addr or DW_OP_addrx. */
static bool op_addr(Dwarf_Attribute *location, Dwarf_Op *op, Dwarf_Addr *addr)
{
	Dwarf_Attribute a;

	if (op->atom == DW_OP_addr) {
		*addr = op->number;
		return true;
	}
	return (op->atom == DW_OP_addrx || op->atom == DW_OP_GNU_addr_index) &&
		!dwarf_getlocation_attr(location, op, &a) &&
		!dwarf_formaddr(&a, addr);
}

static void note_place(struct hpkm_object *o, Dwarf_Addr addr,
		       const char *scope, bool in_block)
{
	struct hpkm_item *item;
	uint32_t section;
	uint64_t offset;

	if (!hpkm_debuginfo_place(o, addr, &section, &offset))
		return;
	for (item = o->of_section[section]; item; item = item->next) {
		if (item->offset != offset || item->scope ||
		    hpkm_item_is_code(item))
			continue;
		item->scope = scope;
		item->in_block = in_block;
	}
}

/*
 * A variable has one address, or clang has made variables of its members: then
 * each has its own, and those that nothing uses have none.
 */
static void note_variable(struct hpkm_object *o, Dwarf_Die *die,
			  const char *function, bool in_block)
{
	const char *name = dwarf_diename(die);
	Dwarf_Attribute location;
	unsigned long long at = 0;
	size_t count, i = 0;
	Dwarf_Addr addr;
	Dwarf_Op *op;
	bool there;

	if (!name || !dwarf_attr(die, DW_AT_location, &location) ||
	    dwarf_getlocation(&location, &op, &count) || !count)
		return;
	if (count == 1) {
		if (function && op_addr(&location, op, &addr))
			note_place(o, addr,
				   hpkm_arena_printf(o->arena, "%s:%s",
						     function, name),
				   in_block);
		return;
	}
	while (i < count) {
		there = op_addr(&location, &op[i], &addr);
		i += there;
		if (i == count || op[i].atom != DW_OP_piece)
			return;
		if (there)
			note_place(o, addr,
				   hpkm_arena_printf(o->arena, "%s:%s+%llu",
						     function ? function : "",
						     name, at), in_block);
		at += op[i++].number;
	}
}

/* @depth: 0 for a unit; @block: that of the function's body. */
static void note_scopes(struct hpkm_object *o, Dwarf_Die *parent,
			const char *function, unsigned int depth,
			unsigned int block)
{
	const char *name;
	Dwarf_Die die;

	if (depth > NESTING_MAX || dwarf_child(parent, &die))
		return;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_variable:
			note_variable(o, &die, function, depth > block);
			break;
		case DW_TAG_subprogram:
		case DW_TAG_inlined_subroutine:
			name = dwarf_diename(&die);
			note_scopes(o, &die, name ? name : function,
				    depth + 1, depth + 1);
			break;
		case DW_TAG_lexical_block:
			note_scopes(o, &die, function, depth + 1, block);
			break;
		}
	} while (!dwarf_siblingof(&die, &die));
}

void hpkm_debuginfo_scopes(struct hpkm_object *o)
{
	Dwarf_Die unit, sub;
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	uint8_t type;

	if (!o->debuginfo || !o->debuginfo->dwarf)
		return;
	while (!dwarf_get_units(o->debuginfo->dwarf, cu, &cu, &version, &type,
				&unit, &sub))
		note_scopes(o, &unit, NULL, 0, 0);
}
