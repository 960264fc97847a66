// SPDX-License-Identifier: GPL-2.0
/*
 * DWARF expressions, as call frame information has them (stage 10): those of
 * PLT entries, of signal frames and of realigned stacks.  DWARF 5, section 2.5.
 */
#include <dwarf.h>

#include "expression.h"

#define DEPTH_MAX	64
#define WORD_BITS	64

struct stack {
	uint64_t value[DEPTH_MAX];
	size_t count;
	bool bad;		/* too many or too few values, or worse */
};

static void push(struct stack *stack, uint64_t value)
{
	if (stack->count == DEPTH_MAX)
		stack->bad = true;
	else
		stack->value[stack->count++] = value;
}

static uint64_t pop(struct stack *stack)
{
	if (!stack->count) {
		stack->bad = true;
		return 0;
	}
	return stack->value[--stack->count];
}

/* The value so far below the top. */
static uint64_t peek(struct stack *stack, uint64_t below)
{
	if (below >= stack->count) {
		stack->bad = true;
		return 0;
	}
	return stack->value[stack->count - 1 - below];
}

static void push_register(struct stack *stack, const struct hpkm_scope *scope,
			  uint64_t number, uint64_t offset)
{
	if (number >= HPKM_REGISTERS_MAX ||
	    !(scope->registers->known & 1U << number))
		stack->bad = true;
	else
		push(stack, scope->registers->value[number] + offset);
}

static void push_memory(struct stack *stack, const struct hpkm_scope *scope,
			uint64_t size)
{
	uint64_t address = pop(stack), value = 0;

	/* Little-endian, so that a short one fills the low bytes. */
	if (stack->bad || !size || size > sizeof(value) ||
	    !hpkm_memory_read(scope->memory, address, &value, size))
		stack->bad = true;
	else
		push(stack, value);
}

/* Operations on two values; false when it is none. */
static bool binary(struct stack *stack, uint8_t atom)
{
	uint64_t right = peek(stack, 0), left = peek(stack, 1), value;

	switch (atom) {
	case DW_OP_plus:
		value = left + right;
		break;
	case DW_OP_minus:
		value = left - right;
		break;
	case DW_OP_mul:
		value = left * right;
		break;
	case DW_OP_and:
		value = left & right;
		break;
	case DW_OP_or:
		value = left | right;
		break;
	case DW_OP_xor:
		value = left ^ right;
		break;
	case DW_OP_shl:
		value = right < WORD_BITS ? left << right : 0;
		break;
	case DW_OP_shr:
		value = right < WORD_BITS ? left >> right : 0;
		break;
	case DW_OP_eq:
		value = left == right;
		break;
	case DW_OP_ne:
		value = left != right;
		break;
	case DW_OP_lt:
		value = (int64_t)left < (int64_t)right;
		break;
	case DW_OP_le:
		value = (int64_t)left <= (int64_t)right;
		break;
	case DW_OP_gt:
		value = (int64_t)left > (int64_t)right;
		break;
	case DW_OP_ge:
		value = (int64_t)left >= (int64_t)right;
		break;
	default:
		return false;
	}
	pop(stack);
	pop(stack);
	push(stack, value);
	return true;
}

static void swap(struct stack *stack)
{
	uint64_t top = pop(stack), next = pop(stack);

	push(stack, top);
	push(stack, next);
}

static void step(struct stack *stack, const struct hpkm_scope *scope,
		 const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31) {
		push(stack, op->atom - DW_OP_lit0);
		return;
	}
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
		push_register(stack, scope, op->atom - DW_OP_breg0, op->number);
		return;
	}
	switch (op->atom) {
	case DW_OP_nop:
		break;
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts:
		/* libdw has extended the sign. */
		push(stack, op->number);
		break;
	case DW_OP_bregx:
		push_register(stack, scope, op->number, op->number2);
		break;
	case DW_OP_call_frame_cfa:
		stack->bad |= !scope->has_cfa;
		push(stack, scope->cfa);
		break;
	case DW_OP_dup:
		push(stack, peek(stack, 0));
		break;
	case DW_OP_over:
		push(stack, peek(stack, 1));
		break;
	case DW_OP_pick:
		push(stack, peek(stack, op->number));
		break;
	case DW_OP_drop:
		pop(stack);
		break;
	case DW_OP_swap:
		swap(stack);
		break;
	case DW_OP_deref:
		push_memory(stack, scope, sizeof(uint64_t));
		break;
	case DW_OP_deref_size:
		push_memory(stack, scope, op->number);
		break;
	case DW_OP_plus_uconst:
		push(stack, pop(stack) + op->number);
		break;
	case DW_OP_neg:
		push(stack, -pop(stack));
		break;
	case DW_OP_not:
		push(stack, ~pop(stack));
		break;
	default:
		if (!binary(stack, op->atom))
			stack->bad = true;
	}
}

/* A register holds the value: then the expression is that one operation. */
static bool is_register(const Dwarf_Op *op, uint64_t *number)
{
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31)
		*number = op->atom - DW_OP_reg0;
	else if (op->atom == DW_OP_regx)
		*number = op->number;
	else
		return false;
	return true;
}

bool hpkm_expression(const struct hpkm_scope *scope, const Dwarf_Op *ops,
		     size_t count, struct hpkm_result *result)
{
	struct stack stack = { .count = 0 };
	uint64_t number;

	result->is_value = false;
	if (count == 1 && is_register(ops, &number)) {
		push_register(&stack, scope, number, 0);
		result->is_value = true;
		count = 0;
	}
	if (count && ops[count - 1].atom == DW_OP_stack_value) {
		result->is_value = true;
		count--;
	}
	for (size_t i = 0; i < count && !stack.bad; i++)
		step(&stack, scope, &ops[i]);
	result->value = pop(&stack);
	return !stack.bad;
}
