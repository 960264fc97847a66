/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the stages ask of an architecture: the meaning of relocation types, the
 * decoding of instructions, the window of a trampoline.  In psABI letters: S
 * symbol, A addend, P place.
 */
#ifndef HPKM_ARCH_H
#define HPKM_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "../arena.h"
#include "../elffile.h"

/* What a relocation asks for. */
enum hpkm_rel {
	HPKM_REL_UNKNOWN,
	HPKM_REL_NONE,
	HPKM_REL_ABS64,
	HPKM_REL_ABS32,		/* zero-extended */
	HPKM_REL_ABS32S,	/* sign-extended */
	HPKM_REL_PC32,
	HPKM_REL_PC64,
	HPKM_REL_CALL,		/* PC32 that may go through a PLT entry */
	HPKM_REL_GOT,		/* PC32 of a cell that holds the address */
	HPKM_REL_TPOFF32,	/* distance from the thread pointer */
	HPKM_REL_GOT_TPOFF,	/* PC32 of a cell that holds that distance */
	HPKM_REL_TLSGD,		/* PC32 of a pair: module, offset in its block */
	HPKM_REL_TLSLD,		/* PC32 of a pair with offset 0 */
	HPKM_REL_TLSDESC,	/* PC32 of a descriptor */
	HPKM_REL_TLSDESC_CALL,	/* the call through it; no field */
	HPKM_REL_DTPOFF32,	/* offset in the module's block */
	HPKM_REL_TLS,		/* any other thread-local model */
};

enum hpkm_insn_flags {
	HPKM_INSN_NOP		= 1 << 0,
	HPKM_INSN_JUMP		= 1 << 1,	/* direct, target is known */
	HPKM_INSN_CALL		= 1 << 2,	/* of any kind */
	HPKM_INSN_DIRECT	= 1 << 3,	/* call or jump with a target */
	HPKM_INSN_PCREL		= 1 << 4,	/* refers to target as data */
	HPKM_INSN_END		= 1 << 5,	/* the next one is not reached */
};

struct hpkm_insn {
	uint64_t target;	/* DIRECT or PCREL: the address */
	uint32_t offset;	/* from the start of what was decoded */
	uint8_t size;
	uint8_t flags;
	uint8_t field;		/* PCREL: offset of the displacement */
};

struct hpkm_code {
	struct hpkm_insn *insns;
	size_t count;
	/* Not all bytes could be decoded: the offset of the first bad one. */
	bool broken;
	uint32_t broken_at;
};

/* What an instruction of a linked file refers to. */
struct hpkm_match {
	enum {
		HPKM_MATCH_ADDRESS,	/* the thing itself */
		HPKM_MATCH_SLOT,	/* a cell that holds its address */
		HPKM_MATCH_TPOFF,	/* its distance from the thread pointer */
		HPKM_MATCH_DTPOFF,	/* its place in the module's block */
		HPKM_MATCH_NOTHING,	/* the linker has dropped it */
	} kind;
	bool next_too;	/* the next instruction was dropped with this one */
	uint64_t value;
};

#define HPKM_MATCHES_MAX 2

/* Loads by way of a cell, then jumps back. */
struct hpkm_far_stub {
	uint8_t code[32];
	unsigned int size;
	unsigned int cell;	/* offset of the displacement of the cell */
	unsigned int back;	/* offset of the displacement of the jump */
};

/* Code of ours that is taken along. */
struct hpkm_blob {
	const uint8_t *bytes;
	uint64_t size;
	const struct hpkm_blob_ref {
		uint32_t place;
		uint32_t to;		/* enum hpkm_blob_to */
		int32_t addend;
	} *refs;
	uint64_t ref_count;
};

/* What it refers to. */
enum hpkm_blob_to {
	HPKM_BLOB_STATE,
	HPKM_BLOB_CONTROL,
	HPKM_BLOB_APPLY,	/* table of hooks, ends with 0 */
	HPKM_BLOB_REVERT,
	HPKM_BLOB_ENTER,
	HPKM_BLOB_FUNC,		/* the new function */
	HPKM_BLOB_COUNT,
};

/* The longest call instruction, with prefixes. */
#define HPKM_CALL_SIZE_MAX 9

/* What unwinding needs. */
struct hpkm_arch_frame {
	unsigned int registers;	/* so many, by DWARF number, are sent */
	unsigned int sp, ip;	/* those among them */
};

/*
 * glibc's ucontext_t.  A cell of it holds its own address plus a constant; the
 * saved registers are at distances from that cell.
 */
struct hpkm_arch_context {
	int64_t self;
	int64_t sp, ip;
};

struct hpkm_arch {
	uint16_t machine;
	uint32_t align;		/* of segments */
	const char *ld, *ld_format;
	/* Types that are given to ld. */
	uint32_t type_pc32, type_abs64;
	uint32_t type_copy, type_jump_slot, type_glob_dat, type_relative,
		 type_irelative, type_tpoff64, type_dtpmod64, type_tlsdesc;

	enum hpkm_rel (*rel)(uint32_t type);

	/* Decodes as if @code stood at @addr. */
	void (*decode)(struct hpkm_arena *arena, const uint8_t *code,
		       size_t size, uint64_t addr, struct hpkm_code *out);
	/* One instruction as text, for messages. */
	void (*disassemble)(const uint8_t *code, size_t size, uint64_t addr,
			    char *text, size_t text_size);

	/*
	 * Is @t, in a linked file at @t_addr, what assembler and linker make
	 * of @o with the relocations @relocs (places relative to @o)?  Fills
	 * in one match for each relocation.  Branches inside the function
	 * and references to it have no relocation: the caller compares
	 * their targets.  @t_left: bytes of the function from @t on.
	 */
	bool (*match)(const uint8_t *o, const struct hpkm_insn *oi,
		      const struct hpkm_elf_reloc *relocs, size_t reloc_count,
		      const uint8_t *t, const struct hpkm_insn *ti,
		      uint64_t t_left, uint64_t t_addr,
		      struct hpkm_match *matches);
	/*
	 * Turn code that reaches a thread-local variable by a dynamic model
	 * (TLSGD or TLSLD, the field at @place) into code that has it at a
	 * fixed distance from the thread pointer, or, @cell, at one that is in
	 * a cell.  @field gets where the distance, or the cell's PC32, is to
	 * be written; for TLSLD there is none.  Takes along the call of
	 * __tls_get_addr, whose relocation is the next one.
	 * Return: false when it is not the code that the psABI demands.
	 */
	bool (*relax_tls)(uint8_t *code, uint64_t size, uint64_t place,
			  enum hpkm_rel rel, bool cell, uint64_t *field);
	/* Does the instruction only jump or call through the GOT cell? */
	bool (*got_branch)(const uint8_t *insn, const struct hpkm_insn *i);

	/*
	 * Two instructions that differ: only in a number that both store or
	 * load?  Then that number in each.
	 */
	bool (*numbers)(const uint8_t *o, const uint8_t *n,
			const struct hpkm_insn *i, uint64_t *old,
			uint64_t *new);
	/* Does it load the third argument, the line of assert()? */
	bool (*assertion_line)(const uint8_t *insn, const struct hpkm_insn *i);

	/* May it leave its function: a return, or a jump to who knows where? */
	bool (*leaves)(const uint8_t *insn, const struct hpkm_insn *i);

	/*
	 * An instruction of @size bytes whose operand, with its displacement
	 * at @field, is in a library, out of reach.  If it takes the address,
	 * it is changed to load that from a cell, to which its displacement
	 * leads then: HPKM_FAR_CELL.  If it loads a register from there, it
	 * becomes a jump (displacement at 1) to the code that is put into
	 * @stub: HPKM_FAR_STUB.
	 */
	enum hpkm_far {
		HPKM_FAR_NONE,
		HPKM_FAR_CELL,
		HPKM_FAR_STUB,
	} (*far_operand)(uint8_t *insn, unsigned int size, unsigned int field,
			 struct hpkm_far_stub *stub);

	/* Size of the window of a function that starts with @code. */
	unsigned int (*window)(const uint8_t *code, size_t size,
			       unsigned int *kept);
	/* Are the first @need bytes padding?  Up to @size may be read. */
	bool (*padding)(const uint8_t *code, size_t need, size_t size);

	/* The GOT slot that a PLT entry jumps through. */
	bool (*plt_slot)(const uint8_t *code, size_t size, uint64_t addr,
			 uint64_t *slot);
	/* A stub that jumps through a cell. */
	const uint8_t *stub;
	unsigned int stub_size, stub_place;
	int stub_addend;

	/*
	 * What a new function of a patch with hooks is entered through, and
	 * what runs the hooks; see x86_hook.S.  Each reference is 4 bytes,
	 * S + A - P.
	 */
	const struct hpkm_blob *gate, *hook_enter;

	struct hpkm_arch_frame frame;
	struct hpkm_arch_context context;

	/* Bytes from P to where the displacement counts from, in data: 0. */
	uint64_t (*tpoff)(uint64_t offset, uint64_t tls_size,
			  uint64_t tls_align);
};

extern const struct hpkm_arch hpkm_arch_x86;

const struct hpkm_arch *hpkm_arch_find(uint16_t machine);
/* Of the machine that this runs on; NULL when there is none. */
const struct hpkm_arch *hpkm_arch_native(void);

/* The bytes that the relocation's field takes up. */
static inline unsigned int hpkm_rel_size(enum hpkm_rel rel)
{
	switch (rel) {
	case HPKM_REL_ABS64:
	case HPKM_REL_PC64:
		return 8;
	case HPKM_REL_NONE:
	case HPKM_REL_TLSDESC_CALL:
		return 0;
	default:
		return 4;
	}
}

static inline bool hpkm_rel_pcrel(enum hpkm_rel rel)
{
	return rel == HPKM_REL_PC32 || rel == HPKM_REL_PC64 ||
		rel == HPKM_REL_CALL || rel == HPKM_REL_GOT ||
		rel == HPKM_REL_GOT_TPOFF || rel == HPKM_REL_TLSGD ||
		rel == HPKM_REL_TLSLD || rel == HPKM_REL_TLSDESC;
}

#endif /* HPKM_ARCH_H */
