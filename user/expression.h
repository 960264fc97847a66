/* SPDX-License-Identifier: GPL-2.0 */
/* DWARF expressions, as call frame information has them (stage 10). */
#ifndef HPKM_EXPRESSION_H
#define HPKM_EXPRESSION_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

#define HPKM_REGISTERS_MAX	32

/* Registers by their DWARF numbers. */
struct hpkm_registers {
	uint32_t known;		/* bit N: register N is */
	uint64_t value[HPKM_REGISTERS_MAX];
};

/* What an expression may refer to. */
struct hpkm_scope {
	struct hpkm_memory *memory;
	const struct hpkm_registers *registers;
	bool has_cfa;
	uint64_t cfa;
};

/* What it comes to. */
struct hpkm_result {
	/* The value itself, rather than the address where it is stored. */
	bool is_value;
	uint64_t value;
};

/*
 * No jumps: those that compilers and C libraries write have none, and so each
 * ends.  Return: false when it can't be evaluated.
 */
bool hpkm_expression(const struct hpkm_scope *scope, const Dwarf_Op *ops,
		     size_t count, struct hpkm_result *result);

#endif /* HPKM_EXPRESSION_H */
