// SPDX-License-Identifier: GPL-2.0
/* Damaged relocatable files: opened, decoded, compared with themselves. */
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hpkm_arena arena = { 0 };
	struct hpkm_pair pair = { 0 };
	struct hpkm_verdicts verdicts = { .arena = &arena };
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	if (!hpkm_elf_parse(&arena, &pair.old.elf, "old.o", copy, size) &&
	    !hpkm_elf_parse(&arena, &pair.new.elf, "new.o", copy, size) &&
	    !hpkm_object_scan(&arena, &pair.old) &&
	    !hpkm_object_scan(&arena, &pair.new))
		hpkm_diff(&pair, 1, false, &verdicts);
	hpkm_arena_free(&arena);
	free(copy);
	return 0;
}
