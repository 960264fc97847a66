// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel tells (stages 5 and 11): the tables of attributes, and
 * the life of the structs that they describe.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/hpkm.h>

#include "reply.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))
#define RECORD(id, type, table)						\
	const struct hpkm_record hpkm_##id##_record = {			\
		.name = #id,						\
		.size = sizeof(struct type),				\
		.fields = table,					\
		.count = COUNT(table),					\
	}

static const char *const status_names[] = {
	[HPKM_STATUS_APPLIED]	= "applied",
	[HPKM_STATUS_REVERTED]	= "reverted",
	[HPKM_STATUS_ALREADY]	= "already",
	[HPKM_STATUS_BUSY]	= "busy",
	[HPKM_STATUS_REFUSED]	= "refused",
	[HPKM_STATUS_GONE]	= "gone",
	[HPKM_STATUS_DRY_RUN]	= "dry-run",
	[HPKM_STATUS_ERROR]	= "error",
	[HPKM_STATUS_READY]	= "ready",
};

static const char *const hook_names[] = {
	[HPKM_HOOK_STATE_PENDING]	= "pending",
	[HPKM_HOOK_STATE_APPLYING]	= "applying",
	[HPKM_HOOK_STATE_READY]		= "ready",
	[HPKM_HOOK_STATE_WANTED]	= "wanted",
	[HPKM_HOOK_STATE_REVERTING]	= "reverting",
	[HPKM_HOOK_STATE_REVERTED]	= "reverted",
};

static const char *const event_names[] = {
	[HPKM_EVENT_APPLIED]	= "applied",
	[HPKM_EVENT_REVERTED]	= "reverted",
	[HPKM_EVENT_BLOCKED]	= "blocked",
	[HPKM_EVENT_REFUSED]	= "refused",
	[HPKM_EVENT_GONE]	= "gone",
};

#define AT(member)	.offset = offsetof(struct hpkm_loaded, member)
static const struct hpkm_field loaded_fields[] = {
	{ .attr = HPKM_A_PATCH_NAME, .kind = HPKM_KIND_STRING, AT(name),
	  .key = "name" },
	{ .attr = HPKM_A_PATCH_VERSION, .kind = HPKM_KIND_STRING, AT(version),
	  .key = "version", .label = "version" },
	{ .attr = HPKM_A_PATCH_FUNCS, .kind = HPKM_KIND_U32, AT(funcs),
	  .key = "funcs", .label = "funcs" },
	{ .attr = HPKM_A_PATCH_SIZE, .kind = HPKM_KIND_U64, AT(size),
	  .key = "size", .label = "size" },
	{ .attr = HPKM_A_PATCH_USES, .kind = HPKM_KIND_U32, AT(uses),
	  .key = "uses", .label = "uses" },
	{ .attr = HPKM_A_PATCH_DESCRIPTION, .kind = HPKM_KIND_STRING,
	  AT(description), .key = "description" },
};
#undef AT
RECORD(loaded, hpkm_loaded, loaded_fields);

#define AT(member)	.offset = offsetof(struct hpkm_blocked, member)
static const struct hpkm_field blocked_fields[] = {
	{ .attr = HPKM_A_BLOCKED_TID, .kind = HPKM_KIND_U32, AT(tid),
	  .key = "tid" },
	{ .attr = HPKM_A_BLOCKED_FUNC, .kind = HPKM_KIND_STRING, AT(func),
	  .key = "func" },
	{ .attr = HPKM_A_BLOCKED_IP, .kind = HPKM_KIND_ADDRESS, AT(ip),
	  .key = "ip" },
	{ .attr = HPKM_A_BLOCKED_ON_STACK, .kind = HPKM_KIND_ADDRESS,
	  .flags = HPKM_FIELD_OPTIONAL, AT(on_stack), .key = "on_stack" },
	{ .attr = HPKM_A_BLOCKED_COMM, .kind = HPKM_KIND_STRING,
	  .flags = HPKM_FIELD_OPTIONAL, AT(comm), .key = "comm" },
	{ .attr = HPKM_A_BLOCKED_SINCE, .kind = HPKM_KIND_U64,
	  .flags = HPKM_FIELD_OPTIONAL, AT(since_ms), .key = "since_ms" },
	{ .kind = HPKM_KIND_STRING, .flags = HPKM_FIELD_OPTIONAL, AT(wchan),
	  .key = "wchan", .label = "waits in" },
	{ .kind = HPKM_KIND_STRING, .flags = HPKM_FIELD_OPTIONAL, AT(syscall),
	  .key = "syscall", .label = "system call" },
	{ .kind = HPKM_KIND_STRING, .flags = HPKM_FIELD_OPTIONAL, AT(unwound),
	  .key = "unwound" },
	{ .kind = HPKM_KIND_STRING, .flags = HPKM_FIELD_OPTIONAL, AT(advice),
	  .key = "advice" },
};
#undef AT
RECORD(blocked, hpkm_blocked, blocked_fields);

#define AT(member)	.offset = offsetof(struct hpkm_placed_object, member)
static const struct hpkm_field object_fields[] = {
	{ .attr = HPKM_A_OBJECT_NAME, .kind = HPKM_KIND_STRING, AT(name),
	  .key = "name", .label = "object" },
	{ .attr = HPKM_A_OBJECT_BUILD_ID, .kind = HPKM_KIND_BYTES,
	  AT(build_id), .key = "build_id", .label = "build-id" },
	{ .attr = HPKM_A_OBJECT_BASE, .kind = HPKM_KIND_ADDRESS, AT(base),
	  .key = "base", .label = "base" },
	{ .attr = HPKM_A_OBJECT_SPAN, .kind = HPKM_KIND_ADDRESS, AT(span),
	  .key = "span", .label = "span" },
	{ .attr = HPKM_A_OBJECT_SPAN_SIZE, .kind = HPKM_KIND_U64,
	  AT(span_size), .key = "span_size", .label = "span-size" },
	{ .attr = HPKM_A_OBJECT_HOOK, .kind = HPKM_KIND_NAMED,
	  .flags = HPKM_FIELD_OPTIONAL, AT(hook), .key = "hook",
	  .label = "hook", .names = hook_names,
	  .names_count = COUNT(hook_names) },
};
#undef AT
RECORD(placed_object, hpkm_placed_object, object_fields);

#define AT(member)	.offset = offsetof(struct hpkm_placed_func, member)
static const struct hpkm_field func_fields[] = {
	{ .attr = HPKM_A_FUNC_NAME, .kind = HPKM_KIND_STRING, AT(name),
	  .key = "name", .label = "func" },
	{ .attr = HPKM_A_FUNC_OLD, .kind = HPKM_KIND_ADDRESS, AT(old_address),
	  .key = "old", .label = "old" },
	{ .attr = HPKM_A_FUNC_NEW, .kind = HPKM_KIND_ADDRESS, AT(new_address),
	  .key = "new", .label = "new" },
	{ .attr = HPKM_A_FUNC_SLOT, .kind = HPKM_KIND_ADDRESS, AT(slot),
	  .key = "slot", .label = "slot" },
	{ .attr = HPKM_A_FUNC_ACTIVE, .kind = HPKM_KIND_FLAG, AT(active),
	  .key = "active", .label = "active" },
};
#undef AT
RECORD(placed_func, hpkm_placed_func, func_fields);

#define AT(member)	.offset = offsetof(struct hpkm_placed, member)
static const struct hpkm_field placed_fields[] = {
	{ .attr = HPKM_A_PLACED_NAME, .kind = HPKM_KIND_STRING, AT(name),
	  .key = "name", .label = "patch" },
	{ .attr = HPKM_A_PLACED_VERSION, .kind = HPKM_KIND_STRING,
	  AT(version), .key = "version", .label = "version" },
	{ .attr = HPKM_A_PLACED_ORDER, .kind = HPKM_KIND_U32, AT(order),
	  .key = "order", .label = "order" },
	{ .kind = HPKM_KIND_FLAG, AT(top), .key = "top", .label = "top" },
	{ .attr = HPKM_A_PLACED_RETIRING, .kind = HPKM_KIND_FLAG, AT(retiring),
	  .key = "retiring", .label = "retiring" },
	{ .attr = HPKM_A_PLACED_OBJECT, .kind = HPKM_KIND_LIST, AT(objects),
	  .key = "objects", .record = &hpkm_placed_object_record },
	{ .attr = HPKM_A_PLACED_FUNC, .kind = HPKM_KIND_LIST, AT(funcs),
	  .key = "funcs", .record = &hpkm_placed_func_record },
};
#undef AT
RECORD(placed, hpkm_placed, placed_fields);

#define AT(member)	.offset = offsetof(struct hpkm_target, member)
static const struct hpkm_field target_fields[] = {
	{ .attr = HPKM_A_TARGET_PID, .kind = HPKM_KIND_U32, AT(pid),
	  .key = "pid" },
	{ .attr = HPKM_A_TARGET_START_TIME, .kind = HPKM_KIND_U64,
	  .flags = HPKM_FIELD_OPTIONAL, AT(start_time), .key = "start_time" },
	{ .attr = HPKM_A_TARGET_COMM, .kind = HPKM_KIND_STRING, AT(comm),
	  .key = "comm" },
	{ .attr = HPKM_A_TARGET_STATUS, .kind = HPKM_KIND_NAMED, AT(status),
	  .key = "status", .names = status_names,
	  .names_count = COUNT(status_names) },
	{ .attr = HPKM_A_TARGET_THREADS, .kind = HPKM_KIND_U32, AT(threads),
	  .key = "threads", .label = "threads" },
	{ .attr = HPKM_A_TARGET_ATTEMPTS, .kind = HPKM_KIND_U32, AT(attempts),
	  .key = "attempts", .label = "attempts" },
	{ .attr = HPKM_A_TARGET_HOOK, .kind = HPKM_KIND_NAMED,
	  .flags = HPKM_FIELD_OPTIONAL, AT(hook), .key = "hook",
	  .label = "hook", .names = hook_names,
	  .names_count = COUNT(hook_names) },
	{ .attr = HPKM_A_TARGET_BLOCKED, .kind = HPKM_KIND_LIST, AT(blocked),
	  .key = "blocked_by", .record = &hpkm_blocked_record },
	{ .attr = HPKM_A_TARGET_ERROR, .kind = HPKM_KIND_STRING, AT(error),
	  .key = "error" },
	{ .attr = HPKM_A_TARGET_PATCH, .kind = HPKM_KIND_NEST, AT(patch),
	  .record = &hpkm_placed_record },
};
#undef AT
RECORD(target, hpkm_target, target_fields);

#define AT(member)	.offset = offsetof(struct hpkm_notice, member)
static const struct hpkm_field notice_fields[] = {
	{ .attr = HPKM_A_EVENT, .kind = HPKM_KIND_NAMED, AT(event),
	  .key = "event", .names = event_names,
	  .names_count = COUNT(event_names) },
	{ .attr = HPKM_A_PATCH_NAME, .kind = HPKM_KIND_STRING, AT(patch),
	  .key = "patch" },
	{ .attr = HPKM_A_TARGET, .kind = HPKM_KIND_NEST, AT(target),
	  .key = "target", .record = &hpkm_target_record },
};
#undef AT
RECORD(notice, hpkm_notice, notice_fields);

#define AT(member)	.offset = offsetof(struct hpkm_outcome, member)
static const struct hpkm_field outcome_fields[] = {
	{ .attr = HPKM_A_PATCH_NAME, .kind = HPKM_KIND_STRING, AT(patch),
	  .key = "patch" },
	{ .attr = HPKM_A_PATCH_VERSION, .kind = HPKM_KIND_STRING, AT(version),
	  .key = "version" },
	{ .attr = HPKM_A_PAUSE_NS, .kind = HPKM_KIND_U64, AT(pause_ns),
	  .key = "pause_ns" },
	{ .kind = HPKM_KIND_LIST, AT(targets), .key = "targets",
	  .record = &hpkm_target_record },
	{ .attr = HPKM_A_ATTEMPTS, .kind = HPKM_KIND_U32, AT(attempts),
	  .key = "attempts", .label = "attempts" },
	{ .attr = HPKM_A_WORDS, .kind = HPKM_KIND_U64, AT(words),
	  .key = "words", .label = "words" },
	{ .attr = HPKM_A_ERROR, .kind = HPKM_KIND_STRING, AT(error),
	  .key = "error" },
	{ .attr = HPKM_A_STATUS, .kind = HPKM_KIND_NAMED, AT(status),
	  .names = status_names, .names_count = COUNT(status_names) },
	{ .attr = HPKM_A_TARGETS, .kind = HPKM_KIND_U32, AT(found) },
};
#undef AT
RECORD(outcome, hpkm_outcome, outcome_fields);

#define AT(member)	.offset = offsetof(struct hpkm_patched, member)
static const struct hpkm_field patched_fields[] = {
	{ .kind = HPKM_KIND_U32, AT(pid), .key = "pid" },
	{ .kind = HPKM_KIND_U64, AT(start_time), .key = "start_time" },
	{ .kind = HPKM_KIND_STRING, AT(comm), .key = "comm" },
	{ .kind = HPKM_KIND_LIST, AT(patches), .key = "patches",
	  .record = &hpkm_placed_record },
};
#undef AT
RECORD(patched, hpkm_patched, patched_fields);

#define AT(member)	.offset = offsetof(struct hpkm_word, member)
static const struct hpkm_field word_fields[] = {
	{ .attr = HPKM_A_WORD_ADDRESS, .kind = HPKM_KIND_ADDRESS,
	  AT(address) },
	{ .attr = HPKM_A_WORD_VALUE, .kind = HPKM_KIND_ADDRESS, AT(value) },
};
#undef AT
RECORD(word, hpkm_word, word_fields);

#define AT(member)	.offset = offsetof(struct hpkm_doubt, member)
static const struct hpkm_field doubt_fields[] = {
	{ .attr = HPKM_A_DOUBT_PID, .kind = HPKM_KIND_U32, AT(pid) },
	{ .attr = HPKM_A_DOUBT_TID, .kind = HPKM_KIND_U32, AT(tid) },
	{ .attr = HPKM_A_DOUBT_SWITCHES, .kind = HPKM_KIND_U64, AT(switches) },
	{ .attr = HPKM_A_DOUBT_SP, .kind = HPKM_KIND_ADDRESS, AT(sp) },
	{ .attr = HPKM_A_DOUBT_REGS, .kind = HPKM_KIND_NUMBERS,
	  AT(registers) },
	{ .attr = HPKM_A_DOUBT_WORD, .kind = HPKM_KIND_LIST, AT(words),
	  .record = &hpkm_word_record },
	{ .kind = HPKM_KIND_STRING, AT(why) },
};
#undef AT
RECORD(doubt, hpkm_doubt, doubt_fields);

#define AT(member)	.offset = offsetof(struct hpkm_question, member)
static const struct hpkm_field question_fields[] = {
	{ .attr = HPKM_A_REQUEST, .kind = HPKM_KIND_U32, AT(request) },
	{ .attr = HPKM_A_DOUBT, .kind = HPKM_KIND_NEST, AT(doubt),
	  .record = &hpkm_doubt_record },
};
#undef AT
RECORD(question, hpkm_question, question_fields);

static const char *name_of(const char *const *names, size_t count,
			   uint32_t value)
{
	return value < count && names[value] ? names[value] : "unknown";
}

const char *hpkm_reply_name(const struct hpkm_field *field, uint32_t value)
{
	return name_of(field->names, field->names_count, value);
}

const char *hpkm_status_name(uint32_t status)
{
	return name_of(status_names, COUNT(status_names), status);
}

const char *hpkm_event_name(uint32_t event)
{
	return name_of(event_names, COUNT(event_names), event);
}

static bool list_reserve(struct hpkm_list *list, size_t size, size_t more)
{
	size_t room = list->room ? list->room : 4;
	void *items;

	if (more <= list->room - list->count)
		return true;
	while (room - list->count < more)
		room *= 2;
	items = reallocarray(list->items, room, size);
	if (!items)
		return false;
	list->items = items;
	list->room = room;
	return true;
}

void *hpkm_list_add(struct hpkm_list *list, const struct hpkm_record *record)
{
	if (!list_reserve(list, record->size, 1))
		return NULL;
	return memset((char *)list->items + list->count++ * record->size, 0,
		      record->size);
}

void *hpkm_list_get(const struct hpkm_list *list,
		    const struct hpkm_record *record, size_t index)
{
	return (char *)list->items + index * record->size;
}

void hpkm_list_clear(struct hpkm_list *list, const struct hpkm_record *record)
{
	for (size_t i = 0; i < list->count; i++)
		hpkm_reply_clear(record, hpkm_list_get(list, record, i));
	free(list->items);
	*list = (struct hpkm_list){ 0 };
}

bool hpkm_list_move(struct hpkm_list *to, struct hpkm_list *from,
		    const struct hpkm_record *record)
{
	if (!from->count)
		return true;
	if (!list_reserve(to, record->size, from->count))
		return false;
	memcpy((char *)to->items + to->count * record->size, from->items,
	       from->count * record->size);
	to->count += from->count;
	from->count = 0;
	hpkm_list_clear(from, record);
	return true;
}

void hpkm_reply_clear(const struct hpkm_record *record, void *data)
{
	for (size_t i = 0; i < record->count; i++) {
		const struct hpkm_field *field = &record->fields[i];
		void *at = hpkm_reply_at(data, field);

		switch (field->kind) {
		case HPKM_KIND_STRING:
		case HPKM_KIND_BYTES:
			free(*(char **)at);
			break;
		case HPKM_KIND_NEST:
			hpkm_reply_clear(field->record, at);
			break;
		case HPKM_KIND_LIST:
			hpkm_list_clear(at, field->record);
			break;
		}
	}
	memset(data, 0, record->size);
}

static struct hpkm_patched *find_patched(const struct hpkm_list *list,
					 const struct hpkm_target *target)
{
	struct hpkm_patched *items = list->items;

	/* From the end: parts of one target mostly follow each other. */
	for (size_t i = list->count; i--;)
		if (items[i].pid == target->pid &&
		    items[i].start_time == target->start_time)
			return &items[i];
	return NULL;
}

/*
 * What a message continues; NULL when it begins something.  Objects come with
 * the first message of a patch.  One name can stand for several patches, for
 * those that were reverted may be retiring.
 */
static struct hpkm_placed *find_placed(const struct hpkm_list *list,
				       const struct hpkm_placed *part)
{
	struct hpkm_placed *items = list->items;

	for (size_t i = list->count; !part->objects.count && i--;)
		if (items[i].name && part->name &&
		    !strcmp(items[i].name, part->name) &&
		    items[i].retiring == part->retiring)
			return &items[i];
	return NULL;
}

bool hpkm_patched_merge(struct hpkm_list *list, struct hpkm_target *target)
{
	struct hpkm_patched *patched = find_patched(list, target);
	struct hpkm_placed *part = &target->patch;
	struct hpkm_placed *placed;
	bool done;

	if (!patched) {
		patched = hpkm_list_add(list, &hpkm_patched_record);
		if (!patched)
			return false;
		patched->pid = target->pid;
		patched->start_time = target->start_time;
		patched->comm = target->comm;
		target->comm = NULL;
	}
	if (!hpkm_reply_has(target->present, HPKM_A_TARGET_PATCH)) {
		hpkm_reply_clear(&hpkm_target_record, target);
		return true;
	}
	placed = find_placed(&patched->patches, part);
	if (!placed) {
		placed = hpkm_list_add(&patched->patches, &hpkm_placed_record);
		if (!placed)
			return false;
		*placed = *part;
		*part = (struct hpkm_placed){ 0 };
	}
	done = hpkm_list_move(&placed->objects, &part->objects,
			      &hpkm_placed_object_record) &&
	       hpkm_list_move(&placed->funcs, &part->funcs,
			      &hpkm_placed_func_record);
	hpkm_reply_clear(&hpkm_target_record, target);
	return done;
}

static int by_order(const void *a, const void *b)
{
	const struct hpkm_placed *one = a, *two = b;

	return (one->order > two->order) - (one->order < two->order);
}

static int by_pid(const void *a, const void *b)
{
	const struct hpkm_patched *one = a, *two = b;

	return (one->pid > two->pid) - (one->pid < two->pid);
}

void hpkm_patched_sort(struct hpkm_list *list)
{
	struct hpkm_patched *items = list->items;

	if (list->count)
		qsort(items, list->count, sizeof(*items), by_pid);
	for (size_t i = 0; i < list->count; i++) {
		struct hpkm_placed *patches = items[i].patches.items;
		size_t count = items[i].patches.count;

		if (!count)
			continue;
		qsort(patches, count, sizeof(*patches), by_order);
		/* Those that retire have no order, and come first. */
		patches[count - 1].top = !patches[count - 1].retiring;
	}
}
