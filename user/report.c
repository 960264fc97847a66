// SPDX-License-Identifier: GPL-2.0
/*
 * Results on standard output (stage 11).  The tables of reply.c say what is
 * shown and under which key or label; here is how each kind of field is
 * shown, and what sentences are made for people.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>
#include <linux/hpkm.h>

#include "hpkm.h"
#include "report.h"
#include "text.h"

/* JSON */

static struct json_object *json_text(const char *text)
{
	char *clean = hpkm_text_utf8(text ? text : "");
	struct json_object *json;

	if (!clean)
		return NULL;
	json = json_object_new_string(clean);
	free(clean);
	return json;
}

/* Addresses are strings: 64 bits do not fit the numbers of many readers. */
static struct json_object *json_address(uint64_t address)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	return json_object_new_string(text);
}

static struct json_object *json_list(const struct hpkm_record *record,
				     const struct hpkm_list *list, bool sparse)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < list->count; i++)
		json_object_array_add(array, hpkm_report_json(record,
				hpkm_list_get(list, record, i), sparse));
	return array;
}

static struct json_object *json_field(const struct hpkm_field *field,
				      const void *at, bool sparse)
{
	switch (field->kind) {
	case HPKM_KIND_U32:
		return json_object_new_int64(*(uint32_t *)at);
	case HPKM_KIND_U64:
		return json_object_new_uint64(*(uint64_t *)at);
	case HPKM_KIND_ADDRESS:
		return json_address(*(uint64_t *)at);
	case HPKM_KIND_FLAG:
		return json_object_new_boolean(*(bool *)at);
	case HPKM_KIND_STRING:
	case HPKM_KIND_BYTES:
		return json_text(*(char **)at);
	case HPKM_KIND_NAMED:
		return json_object_new_string(
			hpkm_reply_name(field, *(uint32_t *)at));
	case HPKM_KIND_NEST:
		return hpkm_report_json(field->record, at, sparse);
	case HPKM_KIND_LIST:
		return json_list(field->record, at, sparse);
	}
	return NULL;
}

/* Whether a field has a value of its own, rather than none. */
static bool has_value(const struct hpkm_field *field, const void *data)
{
	if (field->attr)
		return hpkm_reply_has(*(uint32_t *)data, field->attr);
	if (field->kind == HPKM_KIND_STRING)
		return *(char **)hpkm_reply_at(data, field);
	return true;
}

struct json_object *hpkm_report_json(const struct hpkm_record *record,
				     const void *data, bool sparse)
{
	struct json_object *json = json_object_new_object();

	for (size_t i = 0; json && i < record->count; i++) {
		const struct hpkm_field *field = &record->fields[i];

		if (!field->key)
			continue;
		if ((sparse || field->flags & HPKM_FIELD_OPTIONAL) &&
		    !has_value(field, data))
			continue;
		json_object_object_add(json, field->key,
			json_field(field, hpkm_reply_at(data, field), sparse));
	}
	return json;
}

static void print_json(struct json_object *json, int style)
{
	puts(json_object_to_json_string_ext(json, style |
				JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
}

/* Text */

static void print_text(const char *text)
{
	char *clean;

	if (!text)
		return;
	clean = malloc(HPKM_PRINTABLE(strlen(text)) + 1);
	if (clean)
		fputs(hpkm_text_printable(clean,
				HPKM_PRINTABLE(strlen(text)) + 1, text),
		      stdout);
	free(clean);
}

/* The same after a space; nothing when there is no text. */
static void print_word(const char *text)
{
	if (!text || !*text)
		return;
	putchar(' ');
	print_text(text);
}

/* A flag that is not set, a text with nothing in it. */
static bool is_empty(const struct hpkm_field *field, const void *at)
{
	switch (field->kind) {
	case HPKM_KIND_FLAG:
		return !*(const bool *)at;
	case HPKM_KIND_STRING:
		return !*(char *const *)at || !**(char *const *)at;
	default:
		return false;
	}
}

static void print_value(const struct hpkm_field *field, const void *at)
{
	switch (field->kind) {
	case HPKM_KIND_U32:
		printf(" %" PRIu32, *(uint32_t *)at);
		break;
	case HPKM_KIND_U64:
		printf(" %" PRIu64, *(uint64_t *)at);
		break;
	case HPKM_KIND_ADDRESS:
		printf(" 0x%" PRIx64, *(uint64_t *)at);
		break;
	case HPKM_KIND_STRING:
	case HPKM_KIND_BYTES:
		print_word(*(char **)at);
		break;
	case HPKM_KIND_NAMED:
		printf(" %s", hpkm_reply_name(field, *(uint32_t *)at));
		break;
	}
}

/* "label value", for every field that has both, led by "lead" each. */
static void print_fields(const struct hpkm_record *record, const void *data,
			 const char *lead)
{
	for (size_t i = 0; i < record->count; i++) {
		const struct hpkm_field *field = &record->fields[i];
		const void *at = hpkm_reply_at(data, field);

		if (!field->label || !has_value(field, data) ||
		    is_empty(field, at))
			continue;
		printf("%s%s", lead, field->label);
		print_value(field, at);
		lead = ", ";
	}
}

static void print_records(const struct hpkm_record *record,
			  const struct hpkm_list *list, const char *indent)
{
	for (size_t i = 0; i < list->count; i++) {
		print_fields(record, hpkm_list_get(list, record, i), indent);
		putchar('\n');
	}
}

static void print_thread(const struct hpkm_blocked *blocked)
{
	printf("thread %" PRIu32, blocked->tid);
	if (blocked->comm && *blocked->comm) {
		printf(" (");
		print_text(blocked->comm);
		printf(")");
	}
}

/* Without parentheses around it, which mark that it is no function's name. */
static void print_special(const char *text)
{
	char *copy = strndup(text + 1, strcspn(text + 1, ")"));

	print_text(copy);
	free(copy);
}

static void print_place(const struct hpkm_blocked *blocked)
{
	bool on_stack = hpkm_reply_has(blocked->present,
				       HPKM_A_BLOCKED_ON_STACK);
	bool has_ip = hpkm_reply_has(blocked->present, HPKM_A_BLOCKED_IP);

	/* Events tell no addresses, and so not which of the two it is. */
	if (has_ip)
		printf(on_stack ? " returns into " : " stands in ");
	else
		printf(" is in the way, in ");
	print_text(blocked->func ? blocked->func : "an old function");
	if (has_ip)
		printf(" at 0x%" PRIx64, blocked->ip);
	if (on_stack)
		printf(", found on its stack at 0x%" PRIx64, blocked->on_stack);
}

/* What was found elsewhere in the memory of the process. */
static void print_memory(const struct hpkm_blocked *blocked)
{
	printf("memory");
	if (hpkm_reply_has(blocked->present, HPKM_A_BLOCKED_ON_STACK))
		printf(" at 0x%" PRIx64, blocked->on_stack);
	printf(" holds an address in ");
	print_text(blocked->func ? blocked->func : "an old function");
	if (hpkm_reply_has(blocked->present, HPKM_A_BLOCKED_IP))
		printf(", 0x%" PRIx64, blocked->ip);
}

/* As in "thread 12 (worker) returns into parse at 0x1234", and what to do. */
static void print_blocked(const struct hpkm_blocked *blocked,
			  const char *indent)
{
	bool special = blocked->func && *blocked->func == '(';

	if (blocked->tid)
		print_thread(blocked);
	if (special) {
		printf(blocked->tid ? ": " : "");
		print_special(blocked->func);
	} else if (!blocked->tid) {
		print_memory(blocked);
	} else {
		print_place(blocked);
	}
	if (hpkm_reply_has(blocked->present, HPKM_A_BLOCKED_SINCE))
		printf(", for %.1f s now", blocked->since_ms / 1e3);
	print_fields(&hpkm_blocked_record, blocked, ", ");
	if (blocked->unwound) {
		printf("%s", indent);
		print_text(blocked->unwound);
	}
	if (blocked->advice)
		printf("%s%s", indent, blocked->advice);
}

static void print_target(const struct hpkm_target *target)
{
	const struct hpkm_blocked *blocked = target->blocked.items;

	printf("%" PRIu32, target->pid);
	print_word(target->comm);
	if (hpkm_reply_has(target->present, HPKM_A_TARGET_STATUS))
		printf(": %s", hpkm_status_name(target->status));
	print_fields(&hpkm_target_record, target, ", ");
	if (target->error && *target->error) {
		printf(": ");
		print_text(target->error);
	}
	for (size_t i = 0; i < target->blocked.count; i++) {
		printf("\n    ");
		print_blocked(&blocked[i], "\n      ");
	}
}

static char *failure_text(const struct hpkm_failure *failure)
{
	char *text;

	if (asprintf(&text, "%s: %s", failure->what, failure->why) < 0)
		return NULL;
	return text;
}

/* Outcomes */

/* "patch fix 1.2: 2 applied, 1 busy, pause 0.143 ms, attempts 1, words 9" */
static void print_outcome(const struct hpkm_outcome *outcome)
{
	const struct hpkm_target *targets = outcome->targets.items;
	unsigned int counts[HPKM_STATUS_READY + 2] = { 0 };
	const char *lead = ": ";

	for (size_t i = 0; i < outcome->targets.count; i++)
		counts[targets[i].status <= HPKM_STATUS_READY ?
		       targets[i].status : HPKM_STATUS_READY + 1]++;
	printf("patch");
	print_word(outcome->patch);
	print_word(outcome->version);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		if (!counts[i])
			continue;
		printf("%s%u %s", lead, counts[i], hpkm_status_name(i));
		lead = ", ";
	}
	if (outcome->pause_ns)
		printf("%spause %.3f ms", lead, outcome->pause_ns / 1e6);
	print_fields(&hpkm_outcome_record, outcome, ", ");
	putchar('\n');
	for (size_t i = 0; i < outcome->targets.count; i++) {
		printf("  ");
		print_target(&targets[i]);
		putchar('\n');
	}
}

int hpkm_report_outcome(const struct hpkm_request *request,
			struct hpkm_outcome *outcome,
			const struct hpkm_failure *failure)
{
	if (failure->status && !(outcome->error && *outcome->error)) {
		free(outcome->error);
		outcome->error = failure_text(failure);
	}
	if (request->json)
		print_json(hpkm_report_json(&hpkm_outcome_record, outcome,
					    false), JSON_C_TO_STRING_PRETTY);
	else if (outcome->targets.count)
		print_outcome(outcome);
	hpkm_failure_print(failure);
	return failure->status;
}

/* Lists */

static void print_patch(const struct hpkm_loaded *patch)
{
	printf("  ");
	print_text(patch->name);
	print_fields(&hpkm_loaded_record, patch, ", ");
	if (patch->description && *patch->description) {
		printf("\n    ");
		print_text(patch->description);
	}
	putchar('\n');
}

static void print_patched(const struct hpkm_patched *patched)
{
	const struct hpkm_placed *patches = patched->patches.items;

	printf("  %" PRIu32, patched->pid);
	print_word(patched->comm);
	putchar('\n');
	/* As a stack is drawn: the newest above. */
	for (size_t i = patched->patches.count; i--;) {
		print_fields(&hpkm_placed_record, &patches[i], "    ");
		putchar('\n');
		print_records(&hpkm_placed_object_record, &patches[i].objects,
			      "      ");
		print_records(&hpkm_placed_func_record, &patches[i].funcs,
			      "      ");
	}
}

static void print_list(const struct hpkm_list *patches,
		       const struct hpkm_list *targets, size_t patched)
{
	const struct hpkm_patched *target = targets->items;
	const struct hpkm_loaded *patch = patches->items;

	printf(patches->count ? "patches loaded:\n" : "no patch is loaded\n");
	for (size_t i = 0; i < patches->count; i++)
		print_patch(&patch[i]);
	if (targets->count)
		printf("processes patched:\n");
	for (size_t i = 0; i < targets->count; i++)
		print_patched(&target[i]);
	if (patched)
		printf("module in use: %zu process%s patched, so 'rmmod hpkm' is refused until %s reverted or end%s\n",
		       patched, patched == 1 ? " is" : "es are",
		       patched == 1 ? "it is" : "they are",
		       patched == 1 ? "s" : "");
}

static void print_list_json(const struct hpkm_list *patches,
			    const struct hpkm_list *targets, size_t patched,
			    const struct hpkm_failure *failure)
{
	struct json_object *json = json_object_new_object();
	char *error = failure->status ? failure_text(failure) : NULL;

	json_object_object_add(json, "patches",
			       json_list(&hpkm_loaded_record, patches, false));
	json_object_object_add(json, "targets",
			       json_list(&hpkm_patched_record, targets, false));
	json_object_object_add(json, "module_in_use",
			       json_object_new_boolean(patched > 0));
	json_object_object_add(json, "error", json_text(error));
	print_json(json, JSON_C_TO_STRING_PRETTY);
	free(error);
}

int hpkm_report_list(bool json, const struct hpkm_list *patches,
		     const struct hpkm_list *targets, size_t patched,
		     const struct hpkm_failure *failure)
{
	if (json)
		print_list_json(patches, targets, patched, failure);
	else if (!failure->status)
		print_list(patches, targets, patched);
	hpkm_failure_print(failure);
	return failure->status;
}

/* Events */

static void format_now(char *text, size_t size)
{
	struct timespec now;
	char day[32], zone[8];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(text, size, "%s.%03ld%s", day, now.tv_nsec / 1000000, zone);
}

static void print_notice_json(const char *now, const struct hpkm_notice *notice)
{
	struct json_object *json, *body;

	json = json_object_new_object();
	json_object_object_add(json, "time", json_text(now));
	body = hpkm_report_json(&hpkm_notice_record, notice, true);
	json_object_object_foreach(body, key, value)
		json_object_object_add(json, key, json_object_get(value));
	json_object_put(body);
	print_json(json, JSON_C_TO_STRING_PLAIN);
}

void hpkm_report_notice(bool json, const struct hpkm_notice *notice)
{
	char now[64];

	format_now(now, sizeof(now));
	if (json) {
		print_notice_json(now, notice);
	} else {
		printf("%s %s", now, hpkm_event_name(notice->event));
		print_word(notice->patch);
		printf(" in ");
		print_target(&notice->target);
		putchar('\n');
	}
	fflush(stdout);
}

void hpkm_report_lost(bool json)
{
	char now[64];

	format_now(now, sizeof(now));
	if (json)
		printf("{\"time\":\"%s\",\"event\":\"lost\"}\n", now);
	else
		printf("%s lost: events came faster than they were read\n",
		       now);
	fflush(stdout);
}
