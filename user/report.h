/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results on standard output (stage 11): as text for people, or as JSON, by
 * the tables of reply.c.
 */
#ifndef HPKM_REPORT_H
#define HPKM_REPORT_H

#include <stdbool.h>

#include "failure.h"
#include "reply.h"
#include "request.h"

struct json_object;

/*
 * A struct as JSON.  Every key of the table is there; with "sparse" only
 * those that the kernel sent.  NULL when memory is short.
 */
struct json_object *hpkm_report_json(const struct hpkm_record *record,
				     const void *data, bool sparse);

/*
 * The outcome of apply or revert, and on standard error why it is not what
 * was asked for.  Return: the exit status of the command.
 */
int hpkm_report_outcome(const struct hpkm_request *request,
			struct hpkm_outcome *outcome,
			const struct hpkm_failure *failure);

/*
 * Lists of struct hpkm_loaded and struct hpkm_patched.  "patched" counts all
 * patched processes, also those that are not in the list.
 * Return: the exit status of the command.
 */
int hpkm_report_list(bool json, const struct hpkm_list *patches,
		     const struct hpkm_list *targets, size_t patched,
		     const struct hpkm_failure *failure);

/* One line, written out at once. */
void hpkm_report_notice(bool json, const struct hpkm_notice *notice);
void hpkm_report_lost(bool json);

#endif /* HPKM_REPORT_H */
