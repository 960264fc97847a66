// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer over what a process may be made of: its registers, its stack, and
 * the file that it runs, all of them written by whoever wants to harm the
 * unwinder.  The input is 17 registers, a stack of STACK bytes, and a file.
 * Build it with clang -fsanitize=fuzzer, linked like unwind_test.c.
 *
 * Includes cfi.c, to make a file of memory.
 */
#include "cfi.c"

#include "stale.h"

#define REGISTERS	17
#define STACK		4096
#define STACK_AT	0x7fff00000000
#define FILE_AT		0x555500000000
#define FILE_MAX	VDSO_MAX

static uint8_t stack[STACK], file[FILE_MAX];

static ssize_t read_process(void *data, void *to, size_t size,
			    uint64_t address)
{
	if (address == STACK_AT)
		memcpy(to, stack, size);
	else if (address >= FILE_AT && address < FILE_AT + FILE_MAX)
		memcpy(to, file + (address - FILE_AT), size);
	else
		return -1;
	return size;
}

/* Into the stack, or into the file, whatever it was. */
static uint64_t within(uint64_t value, uint64_t start, uint64_t size)
{
	return start + value % size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hpkm_doubt doubt = { .registers.count = REGISTERS };
	size_t head = REGISTERS * sizeof(uint64_t) + STACK;
	struct hpkm_stack_verdict verdict;
	struct hpkm_memory *memory;
	struct hpkm_cfi *cfi;

	if (size < head)
		return 0;
	memcpy(doubt.registers.value, data, REGISTERS * sizeof(uint64_t));
	memcpy(stack, data + REGISTERS * sizeof(uint64_t), STACK);
	memset(file, 0, sizeof(file));
	size -= head;
	memcpy(file, data + head, size < sizeof(file) ? size : sizeof(file));
	doubt.registers.value[7] = within(doubt.registers.value[7], STACK_AT,
					  STACK) & -8UL;
	doubt.registers.value[16] = within(doubt.registers.value[16], FILE_AT,
					   FILE_MAX);
	doubt.sp = doubt.registers.value[7];
	for (size_t i = 0; i < HPKM_VERDICT_WORDS; i++) {
		struct hpkm_word *word;

		word = hpkm_list_add(&doubt.words, &hpkm_word_record);
		word->address = STACK_AT + 8 * i;
		memcpy(&word->value, stack + 8 * i, sizeof(word->value));
	}
	memory = calloc(1, sizeof(*memory));
	memory->fd = -1;
	memory->read = read_process;
	cfi = calloc(1, sizeof(*cfi));
	cfi->codes = calloc(1, sizeof(*cfi->codes));
	cfi->codes[cfi->count++] = (struct code){
		.start = FILE_AT,
		.end = FILE_AT + FILE_MAX,
		.name = strdup("[vdso]"),
		.fd = -1,
	};
	hpkm_stale_judge(memory, cfi, &doubt, &verdict);
	hpkm_cfi_close(cfi);
	hpkm_memory_close(memory);
	hpkm_reply_clear(&hpkm_doubt_record, &doubt);
	return 0;
}
