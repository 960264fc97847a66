/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The anchor: the executable or library as it runs, whose functions are
 * replaced.  Its identity, symbols, code bytes, GOT slots and PLT entries.
 * All addresses are virtual addresses as in the file.
 */
#ifndef HPKM_ANCHOR_H
#define HPKM_ANCHOR_H

#include "arch/arch.h"
#include "elffile.h"

struct hpkm_anchor_symbol {
	const char *name;	/* without its version */
	const char *version;	/* one that the anchor defines, or "" */
	bool superseded;	/* "name@VERSION": what was linked long ago uses it */
	const char *file;	/* local ones: STT_FILE, or NULL */
	uint64_t addr, size;	/* TLS: offset in the TLS segment */
	uint8_t type;
	bool global, preemptible;
	uint32_t file_count;	/* files of the target that have file's name */
	bool was_global;	/* local, but known to all objects when linked */
};

/* A word that the dynamic linker (or the start-up code) fills. */
struct hpkm_anchor_slot {
	uint64_t addr;
	uint32_t type;		/* of its dynamic relocation */
	const char *name;	/* symbol, or "" */
	uint64_t value;		/* symbol's own address + addend, if any */
	uint64_t plt;		/* the PLT entry that jumps through it, or 0 */
};

/* An undefined symbol of the dynamic symbol table. */
struct hpkm_anchor_import {
	const char *name;
	const char *version;	/* "": none */
};

struct hpkm_anchor {
	struct hpkm_arena *arena;
	const struct hpkm_arch *arch;
	struct hpkm_elf elf, debug;
	bool partial;		/* debug has no data symbols: minidebuginfo */
	const char *name;
	bool fixed;		/* ET_EXEC */
	bool library;
	bool dynamic;		/* a dynamic linker looks up its symbols */
	bool bind_now;
	bool all_known;		/* every object of it: source mode has seen them */
	uint64_t base;		/* address of the page of file offset 0 */
	uint64_t end;		/* of the last segment */
	const uint8_t *id;
	size_t id_size;
	bool id_is_digest;
	uint64_t id_offset;
	uint64_t tls_size, tls_align;

	struct hpkm_anchor_symbol *symbols;	/* by name */
	size_t symbol_count;
	/* Those in code, by address. */
	struct hpkm_anchor_symbol **code;
	size_t code_count;
	struct hpkm_anchor_slot *slots;		/* by address */
	size_t slot_count;
	struct hpkm_anchor_import *imports;	/* by name */
	size_t import_count;
};

/* debug_path may be NULL: see hpkm_symbols_find(). */
int hpkm_anchor_open(struct hpkm_arena *arena, struct hpkm_anchor *anchor,
		     const char *path, const char *debug_path);

/*
 * All symbols of a name, in order of addresses; NULL: none.  Of "name@VERSION"
 * those of the name.
 */
const struct hpkm_anchor_symbol *
hpkm_anchor_find(const struct hpkm_anchor *anchor, const char *name,
		 size_t *count);
/*
 * Is that the one that a name means?  "name@VERSION" means one of its version,
 * "name" the default one.
 */
bool hpkm_anchor_is_meant(const struct hpkm_anchor_symbol *symbol,
			  const char *name);
/* What an undefined symbol of an object file is linked to, or NULL. */
const struct hpkm_anchor_symbol *
hpkm_anchor_global(const struct hpkm_anchor *anchor, const char *name);
/* NULL: it does not import that. */
const struct hpkm_anchor_import *
hpkm_anchor_import(const struct hpkm_anchor *anchor, const char *name);
/* The first code symbol above an address, or NULL. */
const struct hpkm_anchor_symbol *
hpkm_anchor_code_after(const struct hpkm_anchor *anchor, uint64_t addr);

const struct hpkm_anchor_slot *
hpkm_anchor_slot_at(const struct hpkm_anchor *anchor, uint64_t addr);
/* The slot of a symbol, of one type of relocation. */
const struct hpkm_anchor_slot *
hpkm_anchor_slot(const struct hpkm_anchor *anchor, const char *name,
		 uint32_t type);
/* The slot that an IFUNC's resolver fills. */
const struct hpkm_anchor_slot *
hpkm_anchor_ifunc(const struct hpkm_anchor *anchor, uint64_t resolver);
/*
 * The PLT entry for a name, 0 when there is none.  @own: the address of what
 * the anchor itself defines, for several versions may have that name; or 0.
 */
uint64_t hpkm_anchor_plt(const struct hpkm_anchor *anchor, const char *name,
			 uint64_t own);
/* The pointer stored at an address when nothing has run yet. */
bool hpkm_anchor_pointer(const struct hpkm_anchor *anchor, uint64_t addr,
			 uint64_t *value);

static inline const uint8_t *
hpkm_anchor_bytes(const struct hpkm_anchor *anchor, uint64_t addr,
		  uint64_t size)
{
	return hpkm_elf_at(&anchor->elf, addr, size);
}

#endif /* HPKM_ANCHOR_H */
