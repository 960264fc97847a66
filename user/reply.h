/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel tells (stages 5 and 11): one struct for each attribute set
 * of the protocol, and one table for each struct.  attrs.c fills the structs
 * from attributes by these tables, report.c prints them by the same tables,
 * as text and as JSON: a new attribute is a struct member and a table line.
 */
#ifndef HPKM_REPLY_H
#define HPKM_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hpkm_record;

enum hpkm_kind {
	HPKM_KIND_U32,
	HPKM_KIND_U64,
	HPKM_KIND_ADDRESS,	/* uint64_t, shown in hexadecimal */
	HPKM_KIND_FLAG,		/* bool */
	HPKM_KIND_STRING,	/* char *, allocated; NULL is "" */
	HPKM_KIND_BYTES,	/* char *, allocated: hexadecimal digits */
	HPKM_KIND_NAMED,	/* uint32_t, an index of names */
	HPKM_KIND_NUMBERS,	/* struct hpkm_numbers; not shown */
	HPKM_KIND_NEST,		/* a struct of record */
	HPKM_KIND_LIST,		/* struct hpkm_list of record */
};

enum hpkm_field_flags {
	/* Left out of JSON when the kernel did not send it. */
	HPKM_FIELD_OPTIONAL	= 1 << 0,
};

struct hpkm_field {
	uint16_t attr;		/* 0: not sent, the tools add it */
	uint8_t kind;		/* enum hpkm_kind */
	uint8_t flags;		/* enum hpkm_field_flags */
	size_t offset;
	const char *key;	/* in JSON; NULL: not shown */
	const char *label;	/* in text; NULL: not shown by the table */
	const struct hpkm_record *record;
	const char *const *names;
	size_t names_count;
};

struct hpkm_record {
	const char *name;
	size_t size;
	const struct hpkm_field *fields;
	size_t count;
};

#define HPKM_NUMBERS_MAX	64

struct hpkm_numbers {
	uint32_t count;
	uint64_t value[HPKM_NUMBERS_MAX];
};

struct hpkm_list {
	void *items;
	size_t count;
	size_t room;
};

/*
 * Every struct below starts with "present": bit N is set when attribute N
 * was received.
 */

struct hpkm_loaded {
	uint32_t present;
	uint32_t funcs;
	uint32_t uses;
	uint64_t size;
	char *name;
	char *version;
	char *description;
};

struct hpkm_blocked {
	uint32_t present;
	uint32_t tid;
	uint64_t ip;
	uint64_t on_stack;
	char *func;
	char *comm;
	uint64_t since_ms;	/* in the way for so long */
	char *wchan;		/* read from /proc by the tools */
	char *syscall;		/* the same */
	char *unwound;		/* what unwinding its stack told */
	char *advice;		/* what can be done about it */
};

struct hpkm_placed_object {
	uint32_t present;
	char *name;
	char *build_id;
	uint64_t base;
	uint64_t span;
	uint64_t span_size;
	uint32_t hook;		/* enum hpkm_hook_state */
};

struct hpkm_placed_func {
	uint32_t present;
	bool active;
	char *name;
	uint64_t old_address;
	uint64_t new_address;
	uint64_t slot;
};

/* A patch in one target. */
struct hpkm_placed {
	uint32_t present;
	uint32_t order;
	bool top;		/* no patch of this target is newer */
	bool retiring;		/* reverted, but a thread is in its code */
	char *name;
	char *version;
	struct hpkm_list objects;	/* struct hpkm_placed_object */
	struct hpkm_list funcs;		/* struct hpkm_placed_func */
};

struct hpkm_target {
	uint32_t present;
	uint32_t pid;
	uint32_t status;	/* enum hpkm_status */
	uint32_t threads;
	uint32_t attempts;
	uint64_t start_time;
	char *comm;
	char *error;
	uint32_t hook;		/* enum hpkm_hook_state */
	struct hpkm_list blocked;	/* struct hpkm_blocked */
	struct hpkm_placed patch;
};

/* A message about one target: a result, a notice, or part of a dump. */
struct hpkm_notice {
	uint32_t present;
	uint32_t event;		/* enum hpkm_event */
	char *patch;
	struct hpkm_target target;
};

/* The end of a transition, and the results that came before it. */
struct hpkm_outcome {
	uint32_t present;
	uint32_t status;	/* enum hpkm_status */
	uint32_t attempts;
	uint32_t found;		/* targets, as the kernel counted them */
	uint64_t pause_ns;
	uint64_t words;
	char *patch;
	char *version;
	char *error;
	struct hpkm_list targets;	/* struct hpkm_target */
};

/* A word on a stack. */
struct hpkm_word {
	uint32_t present;
	bool stale;		/* found by the tools: it does not count */
	uint64_t address;
	uint64_t value;
};

/* A question: what are these words on the stack of a sleeping thread? */
struct hpkm_doubt {
	uint32_t present;
	uint32_t pid;
	uint32_t tid;
	uint64_t switches;
	uint64_t sp;
	struct hpkm_numbers registers;
	struct hpkm_list words;		/* struct hpkm_word */
	char *why;		/* found by the tools: why a word counts */
};

struct hpkm_question {
	uint32_t present;
	uint32_t request;	/* sequence number */
	struct hpkm_doubt doubt;
};

/* A target with all its patches, put together from many messages. */
struct hpkm_patched {
	uint32_t present;
	uint32_t pid;
	uint64_t start_time;
	char *comm;
	struct hpkm_list patches;	/* struct hpkm_placed, by order */
};

extern const struct hpkm_record hpkm_loaded_record;
extern const struct hpkm_record hpkm_blocked_record;
extern const struct hpkm_record hpkm_placed_object_record;
extern const struct hpkm_record hpkm_placed_func_record;
extern const struct hpkm_record hpkm_placed_record;
extern const struct hpkm_record hpkm_target_record;
extern const struct hpkm_record hpkm_notice_record;
extern const struct hpkm_record hpkm_outcome_record;
extern const struct hpkm_record hpkm_patched_record;
extern const struct hpkm_record hpkm_word_record;
extern const struct hpkm_record hpkm_doubt_record;
extern const struct hpkm_record hpkm_question_record;

static inline bool hpkm_reply_has(uint32_t present, unsigned int attr)
{
	return attr < 32 && present & (1U << attr);
}

static inline void *hpkm_reply_at(const void *data,
				  const struct hpkm_field *field)
{
	return (char *)data + field->offset;
}

/* A known name, or "unknown": newer kernels may know more of them. */
const char *hpkm_reply_name(const struct hpkm_field *field, uint32_t value);
const char *hpkm_status_name(uint32_t status);
const char *hpkm_event_name(uint32_t event);

/* A zeroed item at the end of the list; NULL when memory is short. */
void *hpkm_list_add(struct hpkm_list *list, const struct hpkm_record *record);
void *hpkm_list_get(const struct hpkm_list *list,
		    const struct hpkm_record *record, size_t index);
void hpkm_list_clear(struct hpkm_list *list, const struct hpkm_record *record);
/* Append the items of "from" to "to", and empty "from". */
bool hpkm_list_move(struct hpkm_list *to, struct hpkm_list *from,
		    const struct hpkm_record *record);

/* Free what a struct holds, and zero it. */
void hpkm_reply_clear(const struct hpkm_record *record, void *data);

/*
 * Add a message of the target-get dump to a list of struct hpkm_patched, and
 * empty it.  A message without objects continues the patch of that name.
 */
bool hpkm_patched_merge(struct hpkm_list *list, struct hpkm_target *target);
/* When all are merged: put each target's patches in order, mark the top. */
void hpkm_patched_sort(struct hpkm_list *list);

#endif /* HPKM_REPLY_H */
