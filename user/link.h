/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 3, link: the pieces of new code and data, and what they refer to,
 * become segments at a fixed distance from their anchors, and fixups.
 */
#ifndef HPKM_LINK_H
#define HPKM_LINK_H

#include "anchor.h"
#include "object.h"

enum hpkm_link_kind {
	HPKM_LINK_TEXT,
	HPKM_LINK_RODATA,
	HPKM_LINK_DATA,
	HPKM_LINK_BSS,
	HPKM_LINK_FRESH,	/* zero, and zero again in a forked child */
	HPKM_LINK_KINDS,
};

struct hpkm_link_reloc {
	uint64_t offset;		/* in the piece */
	uint32_t type;
	struct hpkm_link_piece *to;	/* or NULL: in the piece's anchor */
	const char *name;		/* anchor: symbol, for people */
	uint64_t value;			/* anchor: virtual address */
	bool is_extern;			/* value is the index of an extern */
	int64_t addend;
	uint32_t symbol;		/* for ld_input.c */
	uint64_t address;		/* the same */
};

/* The range near one anchor that its part of the patch takes up. */
struct hpkm_link_span {
	const struct hpkm_anchor *anchor;
	uint64_t base;			/* where the anchor stands for ld */
	int64_t distance;		/* span start minus base */
	uint64_t size;
	size_t piece_count;
	uint32_t object;		/* in the image: anchors with pieces */
};

/* What is taken along: a function, a variable, a string, a cell. */
struct hpkm_link_piece {
	const struct hpkm_link_span *span;
	const char *name;
	enum hpkm_link_kind kind;
	uint64_t align, size;
	uint8_t *data;			/* NULL: zero */
	/* The function or variable that it is, in it. */
	uint64_t item_offset, item_size;
	struct hpkm_link_reloc *relocs;
	size_t reloc_count;
	uint64_t span_offset;		/* set by hpkm_link_run() */
	uint32_t symbol;		/* for ld_input.c */
};

struct hpkm_link_segment {
	const struct hpkm_link_span *span;
	enum hpkm_link_kind kind;
	const uint8_t *data;
	uint64_t data_size, mem_offset, mem_size;
};

struct hpkm_link_fixup {
	uint16_t kind, relative;	/* as in an image */
	uint32_t object, segment, place;
	int64_t addend;
};

/* What the target's libraries are to provide at apply time. */
struct hpkm_link_extern {
	const struct hpkm_link_span *span;	/* who refers to it */
	const char *name, *version;		/* version: "" is the default */
	bool weak;
};

/* 8 bytes that are copied from the anchor at apply time, and added to. */
struct hpkm_link_copy {
	const struct hpkm_link_piece *piece;	/* its first 8 bytes */
	uint64_t from;				/* address in the anchor */
};

struct hpkm_link {
	struct hpkm_arena *arena;
	const struct hpkm_arch *arch;
	const char *keep;		/* directory for the files, or NULL */
	struct hpkm_link_span *spans;	/* one for each anchor */
	size_t span_count;
	struct hpkm_link_piece **pieces;
	size_t piece_count;
	struct hpkm_link_extern *externs;
	size_t extern_count;
	struct hpkm_link_copy *copies;
	size_t copy_count;

	uint32_t object_count;
	struct hpkm_link_segment *segments;	/* by object, by offset */
	size_t segment_count;
	struct hpkm_link_fixup *fixups;
	size_t fixup_count;
	struct hpkm_elf elf;		/* what ld wrote */
};

/* One span for each of @count anchors. */
void hpkm_link_init(struct hpkm_link *link, struct hpkm_arena *arena,
		    const struct hpkm_anchor *anchors, size_t count);

struct hpkm_link_piece *hpkm_link_add(struct hpkm_link *link,
				      struct hpkm_link_span *span,
				      const char *name,
				      enum hpkm_link_kind kind,
				      uint64_t align, const uint8_t *data,
				      uint64_t size);
struct hpkm_link_reloc *hpkm_link_add_reloc(struct hpkm_link *link,
					    struct hpkm_link_piece *piece);

/* The index of an extern, which is added if it is not there yet. */
size_t hpkm_link_extern(struct hpkm_link *link,
			const struct hpkm_link_span *span, const char *name,
			const char *version, bool weak);
/* The first 8 bytes of a piece are added to those at an anchor's address. */
void hpkm_link_copy(struct hpkm_link *link, const struct hpkm_link_piece *piece,
		    uint64_t from);

/* Returns 0, or -1 after a message. */
int hpkm_link_run(struct hpkm_link *link);

#endif /* HPKM_LINK_H */
