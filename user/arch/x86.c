// SPDX-License-Identifier: GPL-2.0
/*
 * x86-64: relocation types, instructions (capstone), and what GNU ld's
 * relaxations make of them (psABI, "Optimize GOTPCRELX Relocations").
 */
#include <assert.h>
#include <capstone/capstone.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ucontext.h>

#include "arch.h"

static enum hpkm_rel x86_rel(uint32_t type)
{
	switch (type) {
	case R_X86_64_NONE:
		return HPKM_REL_NONE;
	case R_X86_64_64:
		return HPKM_REL_ABS64;
	case R_X86_64_32:
		return HPKM_REL_ABS32;
	case R_X86_64_32S:
		return HPKM_REL_ABS32S;
	case R_X86_64_PC32:
		return HPKM_REL_PC32;
	case R_X86_64_PC64:
		return HPKM_REL_PC64;
	case R_X86_64_PLT32:
		return HPKM_REL_CALL;
	case R_X86_64_GOTPCREL:
	case R_X86_64_GOTPCRELX:
	case R_X86_64_REX_GOTPCRELX:
		return HPKM_REL_GOT;
	case R_X86_64_TPOFF32:
		return HPKM_REL_TPOFF32;
	case R_X86_64_GOTTPOFF:
		return HPKM_REL_GOT_TPOFF;
	case R_X86_64_TLSGD:
		return HPKM_REL_TLSGD;
	case R_X86_64_TLSLD:
		return HPKM_REL_TLSLD;
	case R_X86_64_GOTPC32_TLSDESC:
		return HPKM_REL_TLSDESC;
	case R_X86_64_TLSDESC_CALL:
		return HPKM_REL_TLSDESC_CALL;
	case R_X86_64_DTPOFF32:
		return HPKM_REL_DTPOFF32;
	case R_X86_64_DTPOFF64:
	case R_X86_64_DTPMOD64:
	case R_X86_64_TPOFF64:
		return HPKM_REL_TLS;
	}
	return HPKM_REL_UNKNOWN;
}

static csh handle(void)
{
	static csh h;

	if (!h) {
		if (cs_open(CS_ARCH_X86, CS_MODE_64, &h) != CS_ERR_OK)
			return 0;
		cs_option(h, CS_OPT_DETAIL, CS_OPT_ON);
		cs_option(h, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
	}
	return h;
}

static void classify(const cs_insn *in, struct hpkm_insn *out)
{
	const cs_detail *d = in->detail;
	const cs_x86 *x = &d->x86;

	for (int i = 0; i < d->groups_count; i++) {
		if (d->groups[i] == CS_GRP_CALL)
			out->flags |= HPKM_INSN_CALL;
		else if (d->groups[i] == CS_GRP_JUMP)
			out->flags |= HPKM_INSN_JUMP;
	}
	if (in->id == X86_INS_NOP ||
	    (in->size == 2 && in->bytes[0] == 0x66 && in->bytes[1] == 0x90))
		out->flags |= HPKM_INSN_NOP;
	if (in->id == X86_INS_JMP || in->id == X86_INS_LJMP ||
	    in->id == X86_INS_RET || in->id == X86_INS_UD2 ||
	    in->id == X86_INS_HLT)
		out->flags |= HPKM_INSN_END;
	if (out->flags & (HPKM_INSN_CALL | HPKM_INSN_JUMP)) {
		if (x->op_count == 1 && x->operands[0].type == X86_OP_IMM) {
			out->flags |= HPKM_INSN_DIRECT;
			out->target = x->operands[0].imm;
		} else {
			out->flags &= ~HPKM_INSN_JUMP;
		}
	}
	for (int i = 0; i < x->op_count; i++) {
		if (x->operands[i].type != X86_OP_MEM ||
		    x->operands[i].mem.base != X86_REG_RIP)
			continue;
		out->flags |= HPKM_INSN_PCREL;
		out->target = in->address + in->size + x->disp;
		out->field = x->encoding.disp_offset;
	}
}

static void x86_decode(struct hpkm_arena *arena, const uint8_t *code,
		       size_t size, uint64_t addr, struct hpkm_code *out)
{
	const uint8_t *at = code;
	uint64_t pc = addr;
	cs_insn *in;

	memset(out, 0, sizeof(*out));
	in = handle() ? cs_malloc(handle()) : NULL;
	if (!in) {
		out->broken = true;
		return;
	}
	while (size) {
		struct hpkm_insn *i;

		if (!cs_disasm_iter(handle(), &at, &size, &pc, in)) {
			out->broken = true;
			out->broken_at = at - code;
			break;
		}
		out->insns = hpkm_arena_push(arena, out->insns, out->count,
					     sizeof(*out->insns));
		i = &out->insns[out->count++];
		memset(i, 0, sizeof(*i));
		i->offset = in->address - addr;
		i->size = in->size;
		classify(in, i);
	}
	cs_free(in, 1);
}

static void x86_disassemble(const uint8_t *code, size_t size, uint64_t addr,
			    char *text, size_t text_size)
{
	cs_insn *in = NULL;

	if (handle() && cs_disasm(handle(), code, size, addr, 1, &in)) {
		snprintf(text, text_size, "%s %s", in->mnemonic, in->op_str);
		cs_free(in, 1);
	} else {
		snprintf(text, text_size, "(cannot be decoded)");
	}
}

/* Equal but for the relocated fields? */
static bool same_bytes(const uint8_t *o, const uint8_t *t, size_t size,
		       const struct hpkm_elf_reloc *relocs, size_t count)
{
	for (size_t i = 0; i < size; i++) {
		bool masked = false;

		for (size_t k = 0; k < count; k++)
			masked |= i >= relocs[k].offset && i - relocs[k].offset <
				hpkm_rel_size(x86_rel(relocs[k].type));
		if (!masked && o[i] != t[i])
			return false;
	}
	return true;
}

static int match_kind(enum hpkm_rel rel)
{
	switch (rel) {
	case HPKM_REL_GOT:
	case HPKM_REL_GOT_TPOFF:
	case HPKM_REL_TLSGD:
	case HPKM_REL_TLSLD:
	case HPKM_REL_TLSDESC:
		return HPKM_MATCH_SLOT;
	case HPKM_REL_TPOFF32:
		return HPKM_MATCH_TPOFF;
	case HPKM_REL_DTPOFF32:
		return HPKM_MATCH_DTPOFF;
	case HPKM_REL_TLSDESC_CALL:
		return HPKM_MATCH_NOTHING;
	default:
		return HPKM_MATCH_ADDRESS;
	}
}

static bool plain_match(const uint8_t *o, const struct hpkm_insn *oi,
			const struct hpkm_elf_reloc *relocs, size_t count,
			const uint8_t *t, uint64_t t_addr,
			struct hpkm_match *matches)
{
	if (!same_bytes(o, t, oi->size, relocs, count))
		return false;
	for (size_t k = 0; k < count; k++) {
		enum hpkm_rel rel = x86_rel(relocs[k].type);
		const uint8_t *field;
		int64_t value;

		if (!hpkm_inside(relocs[k].offset, hpkm_rel_size(rel),
				 oi->size))
			return false;
		field = t + relocs[k].offset;
		switch (rel) {
		case HPKM_REL_TLSDESC_CALL:
			value = 0;
			break;
		case HPKM_REL_ABS64:
		case HPKM_REL_PC64:
			value = hpkm_get64(field);
			break;
		case HPKM_REL_ABS32:
			value = hpkm_get32(field);
			break;
		default:
			value = (int32_t)hpkm_get32(field);
		}
		/* The displacement counts from the end of the instruction. */
		if (hpkm_rel_pcrel(rel))
			value += t_addr + oi->size;
		matches[k].value = value;
		matches[k].kind = match_kind(rel);
	}
	return true;
}

static const uint8_t
	/* lea x@tlsgd(%rip), %rdi; call __tls_get_addr, by PLT or GOT */
	gd_lea[] = { 0x66, 0x48, 0x8d, 0x3d },
	gd_call[] = { 0x66, 0x66, 0x48, 0xe8 },
	gd_call_got[] = { 0x66, 0x48, 0xff, 0x15 },
	/* lea x@tlsld(%rip), %rdi */
	ld_lea[] = { 0x48, 0x8d, 0x3d },
	/* mov %fs:0, %rax */
	tp_rax[] = { 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0 },
	/* lea distance(%rax), %rax */
	le_rax[] = { 0x48, 0x8d, 0x80 },
	/* add cell(%rip), %rax */
	ie_rax[] = { 0x48, 0x03, 0x05 };

#define STARTS(code, size, with) \
	((size) >= sizeof(with) && !memcmp(code, with, sizeof(with)))

/*
 * psABI, "TLS Linker Optimization": GD to LE or IE, and LD to LE.  The code
 * has as many bytes as before.
 */
static bool x86_relax_tls(uint8_t *code, uint64_t size, uint64_t place,
			  enum hpkm_rel rel, bool cell, uint64_t *field)
{
	unsigned int head = rel == HPKM_REL_TLSGD ? sizeof(gd_lea) :
		sizeof(ld_lea);
	uint8_t *call, *start;
	uint64_t left;

	if (place < head || !hpkm_inside(place, 4 + 8, size))
		return false;
	start = code + place - head;
	call = code + place + 4;
	left = size - place - 4;
	if (rel == HPKM_REL_TLSGD) {
		if (memcmp(start, gd_lea, head) ||
		    (!STARTS(call, left, gd_call) &&
		     !STARTS(call, left, gd_call_got)))
			return false;
		memcpy(start, tp_rax, sizeof(tp_rax));
		memcpy(start + sizeof(tp_rax), cell ? ie_rax : le_rax, 3);
		*field = place - head + sizeof(tp_rax) + 3;
		memset(code + *field, 0, 4);
		return true;
	}
	/* call x; call *x(%rip) or addr32 call x */
	if (memcmp(start, ld_lea, head) || cell)
		return false;
	if (*call == 0xe8)
		left = 5;
	else if ((call[0] == 0xff && call[1] == 0x15) ||
		 (call[0] == 0x67 && call[1] == 0xe8))
		left = 6;
	else
		return false;
	left += head + 4 - sizeof(tp_rax);
	memset(start, 0x66, left);
	memcpy(start + left, tp_rax, sizeof(tp_rax));
	return true;
}

/* What x86_relax_tls(), and ld, make of it. */
static bool relaxed_tls(const uint8_t *o, const struct hpkm_insn *oi,
			enum hpkm_rel rel, const uint8_t *t, uint64_t t_left,
			uint64_t t_addr, struct hpkm_match *m)
{
	const uint8_t *next = t + sizeof(tp_rax);
	unsigned int prefixes = 0;

	if (rel == HPKM_REL_TLSGD) {
		if (t_left < sizeof(tp_rax) + 7 || !STARTS(t, t_left, tp_rax))
			return false;
		m->value = (int32_t)hpkm_get32(next + 3);
		m->kind = HPKM_MATCH_TPOFF;
		if (!memcmp(next, le_rax, 3))
			return true;
		m->kind = HPKM_MATCH_SLOT;
		m->value += t_addr + sizeof(tp_rax) + 7;
		return !memcmp(next, ie_rax, 3);
	}
	if (rel == HPKM_REL_TLSLD) {
		while (prefixes < t_left && t[prefixes] == 0x66)
			prefixes++;
		m->kind = HPKM_MATCH_NOTHING;
		m->next_too = true;
		return prefixes >= 3 && prefixes <= 4 &&
			STARTS(t + prefixes, t_left - prefixes, tp_rax);
	}
	/* The call behind a lea x@tlsgd. */
	m->kind = HPKM_MATCH_NOTHING;
	return oi->size == 8 && (STARTS(o, 8, gd_call) ||
				 STARTS(o, 8, gd_call_got)) && t_left >= 7 &&
		(!memcmp(t, le_rax, 3) || !memcmp(t, ie_rax, 3));
}

static bool is_rex(uint8_t byte)
{
	return (byte & 0xf0) == 0x40;
}

/*
 * An instruction with a cell's displacement, relaxed by ld: opcode and modrm
 * stand before the field, at place - 2 and place - 1, after an optional REX
 * prefix, whose R bit moves to B when the register becomes the r/m operand.
 */
static bool relaxed_match(const uint8_t *o, const struct hpkm_insn *oi,
			  const struct hpkm_elf_reloc *r, const uint8_t *t,
			  const struct hpkm_insn *ti, uint64_t t_addr,
			  struct hpkm_match *m)
{
	bool tls = x86_rel(r->type) == HPKM_REL_GOT_TPOFF;
	unsigned int reg, rex = 0, t_rex = 0;
	uint64_t place = r->offset;
	uint8_t op, t_op, t_modrm;
	int64_t value;

	if (place < 2 || place + 4 != oi->size)
		return false;
	op = o[place - 2];
	reg = o[place - 1] >> 3 & 7;
	m->kind = tls ? HPKM_MATCH_TPOFF : HPKM_MATCH_ADDRESS;

	/* call *cell(%rip) -> addr32 call, jmp *cell(%rip) -> jmp; nop */
	if (op == 0xff && !tls) {
		if (!(ti->flags & HPKM_INSN_DIRECT))
			return false;
		if (!(ti->flags & HPKM_INSN_CALL) != !(oi->flags &
						       HPKM_INSN_CALL))
			return false;
		m->value = ti->target;
		return true;
	}
	if (ti->size != oi->size || place > 3)
		return false;
	if (place == 3) {
		if (!is_rex(o[0]) || !is_rex(t[0]))
			return false;
		rex = o[0] & 0xf;
		t_rex = t[0] & 0xf;
	}
	t_op = t[place - 2];
	t_modrm = t[place - 1];
	value = (int32_t)hpkm_get32(t + place);

	/* mov cell(%rip), reg -> lea thing(%rip), reg */
	if (!tls && op == 0x8b && t_op == 0x8d && t_modrm == o[place - 1] &&
	    t_rex == rex) {
		m->value = t_addr + ti->size + value;
		return true;
	}
	m->value = value;
	/* The register of reg is now that of r/m. */
	if ((t_rex & 1) != (rex >> 2 & 1) || (t_rex & 8) != (rex & 8) ||
	    (t_modrm & 7) != reg)
		return false;
	switch (op) {
	case 0x8b:	/* mov cell(%rip), reg -> mov $value, reg */
		return t_op == 0xc7 && t_modrm >> 3 == 0x18;
	case 0x85:	/* test reg, cell(%rip) -> test $value, reg */
		return !tls && t_op == 0xf7 && t_modrm >> 3 == 0x18;
	case 0x03:
		/* add cell(%rip), reg -> lea value(reg), reg, or add */
		if (tls && t_op == 0x8d)
			return t_modrm >> 6 == 2 && (t_modrm >> 3 & 7) == reg;
	}
	/* op cell(%rip), reg -> op $value, reg */
	return t_op == 0x81 && t_modrm >> 6 == 3 && (op & 0xc7) == 0x03 &&
		(t_modrm >> 3 & 7) == op >> 3;
}

/* Short and near branches are the same: e9 and eb, 0f 8x and 7x. */
static int branch_kind(const uint8_t *code, const struct hpkm_insn *i)
{
	const uint8_t *p = code, *end = code + i->size;

	/* A prefix (bnd, notrack, branch hint) belongs to the kind. */
	int kind = 0;

	while (p + 1 < end && (*p == 0xf2 || *p == 0xf3 || *p == 0x2e ||
			       *p == 0x3e))
		kind = kind << 8 | *p++;
	if (*p == 0xeb || *p == 0xe9)
		return kind << 8 | 0xe9;
	if ((*p & 0xf0) == 0x70)
		return kind << 8 | (*p & 0xf) | 0x80;
	if (*p == 0x0f && p + 1 < end && (p[1] & 0xf0) == 0x80)
		return kind << 8 | p[1];
	return -1;
}

static bool x86_match(const uint8_t *o, const struct hpkm_insn *oi,
		      const struct hpkm_elf_reloc *relocs, size_t count,
		      const uint8_t *t, const struct hpkm_insn *ti,
		      uint64_t t_left, uint64_t t_addr,
		      struct hpkm_match *matches)
{
	enum hpkm_rel rel;
	int kind;

	if (count > HPKM_MATCHES_MAX)
		return false;
	if ((oi->flags & HPKM_INSN_JUMP) && (ti->flags & HPKM_INSN_JUMP)) {
		kind = branch_kind(o, oi);
		if (kind >= 0 && kind == branch_kind(t, ti)) {
			if (count) {
				matches[0].kind = HPKM_MATCH_ADDRESS;
				matches[0].value = ti->target;
			}
			return count <= 1;
		}
	}
	if (oi->size == ti->size) {
		struct hpkm_elf_reloc own = {
			.offset = oi->field,
			.type = R_X86_64_PC32,
		};

		if (!count && oi->flags & HPKM_INSN_DIRECT) {
			/* A call inside the function, or loop, jrcxz. */
			unsigned int field = oi->size == 5 ? 1 : oi->size - 1;

			return ti->flags & HPKM_INSN_DIRECT &&
				!memcmp(o, t, field);
		}
		if (!count && oi->flags & HPKM_INSN_PCREL)
			return ti->flags & HPKM_INSN_PCREL &&
				same_bytes(o, t, oi->size, &own, 1);
		if (plain_match(o, oi, relocs, count, t, t_addr, matches))
			return true;
	}
	if (count != 1)
		return false;
	rel = x86_rel(relocs[0].type);
	switch (rel) {
	case HPKM_REL_GOT:
		if (relaxed_tls(o, oi, rel, t, t_left, t_addr, matches))
			return true;
		memset(matches, 0, sizeof(*matches));
		/* fall through */
	case HPKM_REL_GOT_TPOFF:
		return relaxed_match(o, oi, relocs, t, ti, t_addr, matches);
	case HPKM_REL_TLSGD:
	case HPKM_REL_TLSLD:
	case HPKM_REL_CALL:
		return relaxed_tls(o, oi, rel, t, t_left, t_addr, matches);
	default:
		return false;
	}
}

static bool x86_got_branch(const uint8_t *insn, const struct hpkm_insn *i)
{
	return i->size >= 6 && insn[i->size - 6] == 0xff &&
		(insn[i->size - 5] == 0x15 || insn[i->size - 5] == 0x25);
}

/* Where the number stands in "mov $number, ..." and "push $number". */
static bool find_number(const uint8_t *code, const struct hpkm_insn *i,
			unsigned int *at, unsigned int *size)
{
	cs_insn *in = NULL;
	const cs_x86 *x;

	if (!handle() || !cs_disasm(handle(), code, i->size, 0, 1, &in))
		return false;
	x = &in->detail->x86;
	*at = x->encoding.imm_offset;
	*size = x->encoding.imm_size;
	if (in->id != X86_INS_MOV && in->id != X86_INS_PUSH)
		*at = 0;
	cs_free(in, 1);
	return *at && (*size == 1 || *size == 2 || *size == 4) &&
		*at + *size == i->size;
}

static bool x86_numbers(const uint8_t *o, const uint8_t *n,
			const struct hpkm_insn *i, uint64_t *old,
			uint64_t *new)
{
	unsigned int at, size, n_at, n_size;

	if (!find_number(o, i, &at, &size) ||
	    !find_number(n, i, &n_at, &n_size) || at != n_at ||
	    size != n_size || memcmp(o, n, at))
		return false;
	*old = 0;
	*new = 0;
	for (unsigned int k = size; k--;) {
		*old = *old << 8 | o[at + k];
		*new = *new << 8 | n[at + k];
	}
	return true;
}

/* mov $line, %edx */
static bool x86_assertion_line(const uint8_t *insn, const struct hpkm_insn *i)
{
	return i->size == 5 && insn[0] == 0xba;
}

static bool x86_leaves(const uint8_t *insn, const struct hpkm_insn *i)
{
	const uint8_t *p = insn, *end = insn + i->size;

	while (p + 1 < end && (*p == 0xf2 || *p == 0xf3 || *p == 0x66 ||
			       *p == 0x2e || *p == 0x3e || is_rex(*p)))
		p++;
	/* ret, iret; jmp *... */
	return *p == 0xc3 || *p == 0xc2 || *p == 0xcb || *p == 0xca ||
		*p == 0xcf ||
		(*p == 0xff && p + 1 < end && (p[1] >> 3 & 6) == 4);
}

/* Where the opcode of a load into a register ends, 0 when it is none. */
static unsigned int load_opcode(const uint8_t *insn, unsigned int field)
{
	unsigned int at = is_rex(*insn);

	/* mov, movslq; movzx, movsx */
	if (insn[at] == 0x8b || insn[at] == 0x63)
		at += 1;
	else if (insn[at] == 0x0f && (insn[at + 1] & 0xf6) == 0xb6)
		at += 2;
	else
		return 0;
	/* The operand: mod 00, r/m 101 (SDM volume 2, table 2-7). */
	return at + 1 == field && (insn[at] & 0xc7) == 0x05 ? at : 0;
}

static enum hpkm_far x86_far_operand(uint8_t *insn, unsigned int size,
				     unsigned int field,
				     struct hpkm_far_stub *stub)
{
	static const uint8_t nops[][3] = {
		{ 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 },
	};
	uint8_t rex = is_rex(*insn) ? *insn : 0, *to = stub->code;
	unsigned int reg, opcode;

	if (field < 2 || field + 4 != size || size > 8)
		return HPKM_FAR_NONE;
	/* lea thing(%rip), reg -> mov cell(%rip), reg */
	if (field == 3 && rex & 8 && insn[1] == 0x8d &&
	    (insn[2] & 0xc7) == 0x05) {
		insn[1] = 0x8b;
		return HPKM_FAR_CELL;
	}
	opcode = load_opcode(insn, field);
	if (!opcode)
		return HPKM_FAR_NONE;
	reg = (insn[opcode] >> 3 & 7) | (rex & 4) << 1;
	if (reg == 4)	/* the stack pointer */
		return HPKM_FAR_NONE;
	/* mov cell(%rip), reg */
	*to++ = 0x48 | (reg & 8) >> 1;
	*to++ = 0x8b;
	*to++ = (reg & 7) << 3 | 5;
	stub->cell = to - stub->code;
	memset(to, 0, 4);
	to += 4;
	/* The same load, from (reg). */
	if (rex || reg & 8)
		*to++ = 0x40 | rex | reg >> 3;
	memcpy(to, insn + !!rex, opcode - !!rex);
	to += opcode - !!rex;
	if ((reg & 7) == 4) {
		*to++ = (reg & 7) << 3 | 4;
		*to++ = 0x24;
	} else if ((reg & 7) == 5) {
		*to++ = 0x40 | (reg & 7) << 3 | 5;
		*to++ = 0;
	} else {
		*to++ = (reg & 7) << 3 | (reg & 7);
	}
	*to++ = 0xe9;
	stub->back = to - stub->code;
	memset(to, 0, 4);
	to += 4;
	stub->size = to - stub->code;
	/* jmp stub, which keeps the stack and the flags as they are */
	insn[0] = 0xe9;
	memset(insn + 1, 0, 4);
	memcpy(insn + 5, nops[size - 6], size - 5);
	return HPKM_FAR_STUB;
}

static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };

static unsigned int x86_window(const uint8_t *code, size_t size,
			       unsigned int *kept)
{
	*kept = size >= 4 && !memcmp(code, endbr64, 4) ? 4 : 0;
	/* jmp *slot(%rip) */
	return *kept + 6;
}

static bool x86_padding(const uint8_t *code, size_t need, size_t size)
{
	struct hpkm_arena arena = { 0 };
	struct hpkm_code c;
	size_t i;

	for (i = 0; i < need; i++)
		if (code[i] != 0 && code[i] != 0xcc)
			break;
	if (i == need)
		return true;
	/* The last no-operation may be longer than what is needed. */
	x86_decode(&arena, code, size, 0, &c);
	for (i = 0; i < c.count && c.insns[i].offset < need; i++)
		if (!(c.insns[i].flags & HPKM_INSN_NOP) &&
		    code[c.insns[i].offset] != 0xcc)
			break;
	need = i < c.count ? c.insns[i].offset >= need :
		c.count && c.insns[i - 1].offset + c.insns[i - 1].size >= need;
	hpkm_arena_free(&arena);
	return need;
}

static bool x86_plt_slot(const uint8_t *code, size_t size, uint64_t addr,
			 uint64_t *slot)
{
	size_t at = 0;

	if (size >= 4 && !memcmp(code, endbr64, 4))
		at = 4;
	if (at < size && code[at] == 0xf2)	/* bnd */
		at++;
	if (!hpkm_inside(at, 6, size) || code[at] != 0xff ||
	    code[at + 1] != 0x25)
		return false;
	*slot = addr + at + 6 + (int32_t)hpkm_get32(code + at + 2);
	return true;
}

static uint64_t x86_tpoff(uint64_t offset, uint64_t tls_size,
			  uint64_t tls_align)
{
	/* Variant II: the block ends at the thread pointer. */
	if (!tls_align)
		tls_align = 1;
	return offset - ((tls_size + tls_align - 1) & ~(tls_align - 1));
}

/* x86_hook.S */
extern const struct hpkm_blob hpkm_x86_gate, hpkm_x86_hook_enter;

static const uint8_t stub[] = { 0xff, 0x25, 0, 0, 0, 0, 0xcc, 0xcc };

/*
 * Offsets in glibc's ucontext_t.  getcontext() points uc_mcontext.fpregs to
 * __fpregs_mem of the same context.
 */
#define CONTEXT_RSP		160
#define CONTEXT_RIP		168
#define CONTEXT_FPREGS		224
#define CONTEXT_FPREGS_MEM	424

#if defined(__x86_64__) && defined(__GLIBC__)
static_assert(offsetof(ucontext_t, uc_mcontext.gregs[REG_RSP]) == CONTEXT_RSP,
	      "ucontext_t");
static_assert(offsetof(ucontext_t, uc_mcontext.gregs[REG_RIP]) == CONTEXT_RIP,
	      "ucontext_t");
static_assert(offsetof(ucontext_t, uc_mcontext.fpregs) == CONTEXT_FPREGS,
	      "ucontext_t");
static_assert(offsetof(ucontext_t, __fpregs_mem) == CONTEXT_FPREGS_MEM,
	      "ucontext_t");
#endif

const struct hpkm_arch hpkm_arch_x86 = {
	.machine	= EM_X86_64,
	.align		= 4096,
	.ld		= "ld",
	.ld_format	= "elf64-x86-64",
	.type_pc32	= R_X86_64_PC32,
	.type_abs64	= R_X86_64_64,
	.type_copy	= R_X86_64_COPY,
	.type_jump_slot	= R_X86_64_JUMP_SLOT,
	.type_glob_dat	= R_X86_64_GLOB_DAT,
	.type_relative	= R_X86_64_RELATIVE,
	.type_irelative	= R_X86_64_IRELATIVE,
	.type_tpoff64	= R_X86_64_TPOFF64,
	.type_dtpmod64	= R_X86_64_DTPMOD64,
	.type_tlsdesc	= R_X86_64_TLSDESC,
	.rel		= x86_rel,
	.decode		= x86_decode,
	.disassemble	= x86_disassemble,
	.match		= x86_match,
	.relax_tls	= x86_relax_tls,
	.far_operand	= x86_far_operand,
	.got_branch	= x86_got_branch,
	.numbers	= x86_numbers,
	.assertion_line	= x86_assertion_line,
	.leaves		= x86_leaves,
	.window		= x86_window,
	.padding	= x86_padding,
	.plt_slot	= x86_plt_slot,
	.stub		= stub,
	.stub_size	= sizeof(stub),
	.stub_place	= 2,
	.stub_addend	= -4,
	.gate		= &hpkm_x86_gate,
	.hook_enter	= &hpkm_x86_hook_enter,
	.tpoff		= x86_tpoff,
	/* psABI, "DWARF Register Number Mapping" */
	.frame = {
		.registers = 17,
		.sp	= 7,
		.ip	= 16,
	},
	.context = {
		.self	= CONTEXT_FPREGS_MEM - CONTEXT_FPREGS,
		.sp	= CONTEXT_RSP - CONTEXT_FPREGS,
		.ip	= CONTEXT_RIP - CONTEXT_FPREGS,
	},
};

const struct hpkm_arch *hpkm_arch_native(void)
{
#ifdef __x86_64__
	return &hpkm_arch_x86;
#else
	return NULL;
#endif
}

const struct hpkm_arch *hpkm_arch_find(uint16_t machine)
{
	return machine == EM_X86_64 ? &hpkm_arch_x86 : NULL;
}
