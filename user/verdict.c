// SPDX-License-Identifier: GPL-2.0
/* What hpkm-build says of a patch. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hpkm.h"
#include "object.h"
#include "verdict.h"

static void show_details(const char *details)
{
	const char *end;

	for (; details && *details; details = *end ? end + 1 : end) {
		end = strchrnul(details, '\n');
		hpkm_detail("%.*s", (int)(end - details), details);
	}
}

static void add(struct hpkm_verdicts *v, bool refused, const char *symbol,
		const char *details, const char *fmt, va_list ap)
{
	char reason[1024];

	vsnprintf(reason, sizeof(reason), fmt, ap);
	/* The same cause is often met from several places. */
	for (size_t i = 0; i < v->count; i++)
		if (v->list[i].refused == refused &&
		    !strcmp(v->list[i].symbol, symbol) &&
		    !strcmp(v->list[i].reason, reason))
			return;
	v->list = hpkm_arena_push(v->arena, v->list, v->count,
				  sizeof(*v->list));
	v->list[v->count++] = (struct hpkm_verdict){
		.refused = refused,
		.symbol = hpkm_arena_printf(v->arena, "%s", symbol),
		.reason = hpkm_arena_printf(v->arena, "%s", reason),
		.details = details ?
			hpkm_arena_printf(v->arena, "%s", details) : NULL,
	};
	v->refusals += refused;
	if (refused)
		hpkm_error("refused: %s%s%s", symbol, *symbol ? ": " : "",
			   reason);
	else
		hpkm_warn("%s%s%s", symbol, *symbol ? ": " : "", reason);
	show_details(details);
}

void hpkm_refuse(struct hpkm_verdicts *verdicts, const char *symbol,
		 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(verdicts, true, symbol, NULL, fmt, ap);
	va_end(ap);
}

void hpkm_refuse_with(struct hpkm_verdicts *verdicts, const char *symbol,
		      const char *details, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(verdicts, true, symbol, details, fmt, ap);
	va_end(ap);
}

void hpkm_refuse_func(struct hpkm_verdicts *verdicts, struct hpkm_item *func,
		      const char *details, const char *fmt, ...)
{
	va_list ap;
	char *why;

	va_start(ap, fmt);
	if (func->asked) {
		why = hpkm_arena_printf(verdicts->arena, "left as it is: %s",
					fmt);
		func->changed = false;
		add(verdicts, false, func->name, details, why, ap);
	} else {
		add(verdicts, true, func->name, details, fmt, ap);
	}
	va_end(ap);
}

void hpkm_caution(struct hpkm_verdicts *verdicts, const char *symbol,
		  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(verdicts, false, symbol, NULL, fmt, ap);
	va_end(ap);
}

void hpkm_caution_with(struct hpkm_verdicts *verdicts, const char *symbol,
		       const char *details, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(verdicts, false, symbol, details, fmt, ap);
	va_end(ap);
}
