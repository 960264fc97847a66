/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A relocatable file, seen as items (functions and variables) and references.
 * What stages 2 and 3 both stand on.
 */
#ifndef HPKM_OBJECT_H
#define HPKM_OBJECT_H

#include "arch/arch.h"
#include "arena.h"
#include "elffile.h"

enum hpkm_item_kind {
	HPKM_ITEM_FUNC,
	HPKM_ITEM_COLD,		/* a function's part that the compiler moved */
	HPKM_ITEM_DATA,		/* writable */
	HPKM_ITEM_CONST,
	HPKM_ITEM_TLS,
};

struct hpkm_item {
	struct hpkm_object *object;
	const struct hpkm_elf_symbol *symbol;
	const char *name;
	uint32_t section;	/* or HPKM_SECTION_COMMON */
	uint64_t offset, size;
	enum hpkm_item_kind kind;
	bool global, ifunc;
	bool alone;		/* the only item of its section */
	struct hpkm_item *next;	/* in its section, by ascending offset */
	struct hpkm_item *parent;	/* COLD */
	const char *scope;	/* a static variable's function, or NULL */
	bool in_block;		/* ... but only in a block of it */

	/* Set by stage 2. */
	struct hpkm_item *pair;		/* in the other object */
	/* An old variable that a new one may be. */
	const struct hpkm_item *perhaps;
	bool changed;
	bool lines_only;		/* but for line numbers it is not */
	bool asked;			/* not changed, to be replaced anyway */
	const char *because;

	/* Set by stage 3: where an old item is in the anchor. */
	bool live_known;
	uint64_t live, live_size;
	/* ... what it may be there, when that was asked for (candidates.c) */
	const struct hpkm_candidates *named, *numbered;
	/* ... and what has been made of a new one. */
	struct hpkm_link_piece *piece;
};

/* One name of an item; aliases are further names of one item. */
struct hpkm_name {
	const char *name;
	struct hpkm_item *item;
	bool global;
};

struct hpkm_anchor;
struct hpkm_debuginfo;

struct hpkm_object {
	struct hpkm_arena *arena;
	const struct hpkm_arch *arch;
	/* What it is, or is to be, linked into; set by who opens it. */
	const struct hpkm_anchor *anchor;
	struct hpkm_elf elf;
	const char *file;	/* STT_FILE, or NULL */
	const char *lto;	/* what it holds in place of code, or NULL */
	struct hpkm_item **items;
	size_t item_count;
	struct hpkm_name *names;	/* sorted */
	size_t name_count;
	struct hpkm_debuginfo *debuginfo;	/* while a stage needs it */
	struct hpkm_item **of_symbol;
	struct hpkm_item **of_section;	/* the first one */
	/* Per section: instructions, and each relocation's tail; lazily. */
	struct hpkm_code **code;
	uint8_t **tails;
	/* Per section without symbols: where references lead to; lazily. */
	struct hpkm_bounds {
		uint64_t *offsets;
		size_t count;
	} *bounds;
	/* Stage 3: the pieces of sections without symbols. */
	struct hpkm_link_piece **section_piece;
};

enum hpkm_ref_kind {
	HPKM_REF_UNDEF,		/* symbol */
	HPKM_REF_ITEM,		/* item, offset in it */
	HPKM_REF_STRING,	/* section, offset, delta */
	HPKM_REF_CONSTANT,	/* section, offset, delta */
	HPKM_REF_SECTION,	/* section, offset */
	HPKM_REF_ABSOLUTE,	/* offset is the value */
};

struct hpkm_ref {
	enum hpkm_ref_kind kind;
	const struct hpkm_elf_symbol *symbol;
	struct hpkm_item *item;
	uint32_t section;
	int64_t offset;
	int64_t delta;		/* how far from there it leads */
};

int hpkm_object_open(struct hpkm_arena *arena, struct hpkm_object *object,
		     const char *path);
/* One without anything in it, for the machine of @like. */
int hpkm_object_none(struct hpkm_arena *arena, struct hpkm_object *object,
		     const struct hpkm_object *like);
/* The items after opening the ELF file; for tests. */
int hpkm_object_scan(struct hpkm_arena *arena, struct hpkm_object *object);

/* What the i-th relocation of a section refers to; -1: a damaged file. */
int hpkm_object_ref(struct hpkm_object *object, uint32_t section, size_t i,
		    struct hpkm_ref *ref);
/*
 * The bytes from the place of a relocation to where the displacement counts
 * from: the end of its instruction.  In data: 0.
 */
unsigned int hpkm_object_tail(struct hpkm_object *object, uint32_t section,
			      size_t i);
/* The instructions of a text section. */
const struct hpkm_code *hpkm_object_code(struct hpkm_object *object,
					 uint32_t section);
/* Indices of the relocations in [start, end) of a section. */
void hpkm_object_relocs(const struct hpkm_object *object, uint32_t section,
			uint64_t start, uint64_t end, size_t *first,
			size_t *count);
/*
 * The end of what starts at an offset of a section without symbols: where
 * the next reference leads to.  Zeros before it may be padding: @content is
 * the end without them (but for one).
 */
uint64_t hpkm_object_extent(struct hpkm_object *object, uint32_t section,
			    uint64_t offset, uint64_t *content);
/*
 * GCC puts the initializers of automatic arrays into .data when they hold
 * addresses.  They have no symbol, and nothing ever writes them.
 */
bool hpkm_object_is_pool(const struct hpkm_object *object, uint32_t section);
/* As its .comment says. */
bool hpkm_object_by_clang(const struct hpkm_object *object);
/* What has that name; NULL when nothing has. */
const struct hpkm_name *hpkm_object_find(const struct hpkm_object *object,
					 const char *name, size_t *count);
/* The bytes of a string with its end, 0 when it has none. */
uint64_t hpkm_string_size(const struct hpkm_elf_section *section,
			  uint64_t offset);

static inline const struct hpkm_elf_section *
hpkm_item_section(const struct hpkm_item *item)
{
	return &item->object->elf.sections[item->section];
}

/* NULL where the content is zero (bss, common). */
static inline const uint8_t *hpkm_item_bytes(const struct hpkm_item *item)
{
	const struct hpkm_elf_section *s;

	if (item->section == HPKM_SECTION_COMMON)
		return NULL;
	s = hpkm_item_section(item);
	return s->data ? s->data + item->offset : NULL;
}

/* The length of a name without the compiler's numbers, as in "count.0". */
size_t hpkm_name_base(const char *name);
/* A local name with numbers: which ones they are means nothing. */
bool hpkm_item_numbered(const struct hpkm_item *item);
bool hpkm_item_same_base(const struct hpkm_item *a,
			 const struct hpkm_item *b);

static inline bool hpkm_item_is_code(const struct hpkm_item *item)
{
	return item->kind == HPKM_ITEM_FUNC || item->kind == HPKM_ITEM_COLD;
}

/* A variable that keeps what was stored in it. */
static inline bool hpkm_item_is_state(const struct hpkm_item *item)
{
	return item->kind == HPKM_ITEM_DATA || item->kind == HPKM_ITEM_TLS;
}

#endif /* HPKM_OBJECT_H */
