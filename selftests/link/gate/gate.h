/* SPDX-License-Identifier: GPL-2.0 */
/* For the programs beside it: checks, and the words of their hooks. */
#include <hpkm/hook.h>
#include <stdint.h>
#include <stdio.h>

/* The old program knows nothing of patches. */
#ifdef NEW
#include <hpkm/patch.h>
#endif

extern int loader_patched;
/* Of the loader; NULL before the patch is there. */
extern uint64_t *loader_hook_state, *loader_hook_control;

#define STATE	(*(volatile uint64_t *)loader_hook_state)
#define WANT	(*(volatile uint64_t *) \
		 ((char *)loader_hook_control + HPKM_HOOK_WANT))
#define OWNER	(*(volatile uint64_t *) \
		 ((char *)loader_hook_control + HPKM_HOOK_OWNER))

void run_case(FILE *out);

#define check(condition, ...) do { \
	fprintf(out, (condition) ? "ok " : "not ok "); \
	fprintf(out, __VA_ARGS__); \
	fputc('\n', out); \
} while (0)
