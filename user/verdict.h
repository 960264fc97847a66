/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What hpkm-build says of a patch: warnings, and refusals that name symbol
 * and reason.  Each is printed at once and kept for --json.
 */
#ifndef HPKM_VERDICT_H
#define HPKM_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

struct hpkm_verdict {
	bool refused;
	const char *symbol;	/* "" when it is of no one symbol */
	const char *reason;
	const char *details;	/* further lines, or NULL */
};

struct hpkm_item;

struct hpkm_verdicts {
	struct hpkm_arena *arena;
	struct hpkm_verdict *list;
	size_t count, refusals;
};

void hpkm_refuse(struct hpkm_verdicts *verdicts, const char *symbol,
		 const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Like hpkm_refuse(), with lines of details to be shown under it. */
void hpkm_refuse_with(struct hpkm_verdicts *verdicts, const char *symbol,
		      const char *details, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/*
 * A function can't be replaced: refused if it changed; if only all were asked
 * for it stays as it is, with a warning.
 */
void hpkm_refuse_func(struct hpkm_verdicts *verdicts, struct hpkm_item *func,
		      const char *details, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void hpkm_caution(struct hpkm_verdicts *verdicts, const char *symbol,
		  const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void hpkm_caution_with(struct hpkm_verdicts *verdicts, const char *symbol,
		       const char *details, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif /* HPKM_VERDICT_H */
