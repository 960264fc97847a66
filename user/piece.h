/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between stages 2 and 3: what is taken along of one anchor's objects, and
 * the cells and stubs that it needs.
 */
#ifndef HPKM_PIECE_H
#define HPKM_PIECE_H

#include "link.h"
#include "patch.h"
#include "tls.h"

/* A piece whose references are still to be followed. */
struct hpkm_taken {
	struct hpkm_link_piece *piece;
	struct hpkm_object *object;
	uint32_t section;
	uint64_t start, end;
	const char *name;
	bool nameless;
};

/* Of one anchor. */
struct hpkm_closure {
	struct hpkm_patch *patch;
	struct hpkm_link *link;
	struct hpkm_link_span *span;
	const struct hpkm_anchor *anchor;
	struct hpkm_closure *all;	/* of every anchor of the patch */
	bool skip_next;			/* what was changed has no use for it */
	/* Strings and constants that are pieces, for using them again. */
	struct hpkm_link_piece **pool;
	size_t pool_count;
	/* Cells and stubs: by what they are for. */
	struct hpkm_cell *cells;
	size_t cell_count;
	struct hpkm_taken *work;
	size_t work_count, work_done;
	/* Jump table entries of functions that may not be taken along. */
	struct hpkm_entry *entries;
	size_t entry_count;
};

/* Where a reference leads. */
struct hpkm_place {
	enum {
		HPKM_PLACE_NOWHERE,	/* refused */
		HPKM_PLACE_PIECE,
		HPKM_PLACE_LIVE,
		HPKM_PLACE_IMPORT,	/* the anchor imports it */
		HPKM_PLACE_EXTERN,	/* nobody does so far */
		HPKM_PLACE_OTHER,	/* a piece, near another anchor */
		HPKM_PLACE_TLS,
		HPKM_PLACE_VALUE,
	} kind;
	struct hpkm_link_piece *piece;
	const char *name;
	uint64_t value;		/* address, TLS offset, number or extern */
	int64_t offset;		/* in the piece, or from the address */
	bool ifunc, preemptible;
	bool data;		/* LIVE: a variable */
	const char *version;	/* preemptible: "" is the default */
};

enum hpkm_cell_kind {
	HPKM_CELL_ADDRESS,
	HPKM_CELL_EXTERN,	/* address of an extern */
	HPKM_CELL_TPOFF,
	HPKM_CELL_TLS_PAIR,
	HPKM_CELL_STUB,
};

#define refuse(c, symbol, ...) \
	hpkm_refuse(&(c)->patch->verdicts, symbol, __VA_ARGS__)

/* Each returns the piece there is, or makes one. */
struct hpkm_link_piece *hpkm_piece_item(struct hpkm_closure *c,
					struct hpkm_item *item);
/* A section without symbols, as a whole. */
struct hpkm_link_piece *hpkm_piece_section(struct hpkm_closure *c,
					   struct hpkm_object *o,
					   uint32_t section);
/* Equal strings and constants are taken along once. */
struct hpkm_link_piece *hpkm_piece_pool(struct hpkm_closure *c,
					const struct hpkm_elf_section *s,
					uint64_t start, uint64_t size);
/*
 * An 8-byte cell that holds an address or a thread-pointer distance, or a
 * stub that branches by one.  @value: what it holds, unless @to is a piece.
 */
struct hpkm_link_piece *hpkm_piece_cell(struct hpkm_closure *c,
					enum hpkm_cell_kind kind,
					const struct hpkm_place *to,
					uint64_t value);
/* A cell or pair that is made of a slot of the anchor. */
struct hpkm_link_piece *hpkm_piece_tls(struct hpkm_closure *c,
				       enum hpkm_cell_kind kind,
				       const char *name,
				       const struct hpkm_tls_cell *cell,
				       uint64_t value);

#endif /* HPKM_PIECE_H */
