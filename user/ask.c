// SPDX-License-Identifier: GPL-2.0
/* Stage 5: what requests and answers to the kernel hold, as attributes. */
#include <linux/hpkm.h>
#include <netlink/attr.h>

#include "ask.h"
#include "extern.h"
#include "request.h"

int hpkm_ask_targets(struct nl_msg *message,
		     const struct hpkm_request *request)
{
	if (request->all)
		return nla_put_flag(message, HPKM_A_ALL);
	for (size_t i = 0; i < request->pids_count; i++) {
		const struct hpkm_process *process = &request->pids[i];
		struct nlattr *nest;

		nest = nla_nest_start(message, HPKM_A_TARGET | NLA_F_NESTED);
		if (!nest ||
		    nla_put_u32(message, HPKM_A_TARGET_PID, process->pid) ||
		    nla_put_u64(message, HPKM_A_TARGET_START_TIME,
				process->start_time))
			return -1;
		nla_nest_end(message, nest);
	}
	return 0;
}

static int put_bound(struct nl_msg *message, const struct hpkm_bound *bound)
{
	struct nlattr *nest;

	nest = nla_nest_start(message, HPKM_A_BINDING_BOUND | NLA_F_NESTED);
	if (!nest ||
	    nla_put_u32(message, HPKM_A_BOUND_EXTERN, bound->index) ||
	    nla_put_u64(message, HPKM_A_BOUND_OFFSET, bound->offset))
		return -1;
	return nla_nest_end(message, nest);
}

/* A nest holds less than 64 KiB, so very many take several. */
#define BOUND_MAX	1024

static int put_binding(struct nl_msg *message, const struct hpkm_binding *b,
		       size_t first)
{
	struct nlattr *nest;

	nest = nla_nest_start(message, HPKM_A_BINDING | NLA_F_NESTED);
	if (!nest ||
	    nla_put_u32(message, HPKM_A_BINDING_ID_KIND, b->id_kind) ||
	    nla_put(message, HPKM_A_BINDING_ID, b->id_size, b->id) ||
	    nla_put_u64(message, HPKM_A_BINDING_ID_OFFSET, b->id_offset))
		return -1;
	for (size_t i = first; i < b->bound_count && i < first + BOUND_MAX; i++)
		if (put_bound(message, &b->bound[i]))
			return -1;
	return nla_nest_end(message, nest);
}

static int put_bindings(struct nl_msg *message,
			const struct hpkm_bindings *bindings)
{
	for (size_t i = 0; bindings && i < bindings->count; i++) {
		const struct hpkm_binding *b = &bindings->list[i];

		for (size_t k = 0; k < b->bound_count; k += BOUND_MAX)
			if (put_binding(message, b, k))
				return -1;
	}
	return 0;
}

int hpkm_ask_options(struct nl_msg *message,
		     const struct hpkm_request *request)
{
	if (nla_put_u32(message, HPKM_A_WAIT, request->wait_ms))
		return -1;
	if (request->each && nla_put_flag(message, HPKM_A_EACH))
		return -1;
	if (request->dry_run && nla_put_flag(message, HPKM_A_DRY_RUN))
		return -1;
	if (request->skip_hooks && nla_put_flag(message, HPKM_A_SKIP_HOOKS))
		return -1;
	if (nla_put_u32(message, HPKM_A_CONSISTENCY, request->consistency) ||
	    put_bindings(message, request->bindings))
		return -1;
	return nla_put_u32(message, HPKM_A_DISTANCE, request->distance);
}

size_t hpkm_ask_bindings_size(const struct hpkm_bindings *bindings)
{
	size_t size = 0;

	/* The nest of an object takes up to 96 bytes, that of an extern 28. */
	for (size_t i = 0; bindings && i < bindings->count; i++)
		size += (bindings->list[i].bound_count / BOUND_MAX + 1) * 128 +
			bindings->list[i].bound_count * 32;
	return size;
}

int hpkm_ask_answer(struct nl_msg *message, uint32_t seq,
		    const struct hpkm_doubt *doubt)
{
	const struct hpkm_word *words = doubt->words.items;
	struct nlattr *nest, *word;

	if (nla_put_u32(message, HPKM_A_REQUEST, seq))
		return -1;
	nest = nla_nest_start(message, HPKM_A_DOUBT | NLA_F_NESTED);
	if (!nest || nla_put_u32(message, HPKM_A_DOUBT_TID, doubt->tid) ||
	    nla_put_u64(message, HPKM_A_DOUBT_SWITCHES, doubt->switches) ||
	    nla_put_u64(message, HPKM_A_DOUBT_SP, doubt->sp))
		return -1;
	for (size_t i = 0; i < doubt->words.count; i++) {
		if (!words[i].stale)
			continue;
		word = nla_nest_start(message,
				      HPKM_A_DOUBT_WORD | NLA_F_NESTED);
		if (!word ||
		    nla_put_u64(message, HPKM_A_WORD_ADDRESS,
				words[i].address) ||
		    nla_put_u64(message, HPKM_A_WORD_VALUE, words[i].value))
			return -1;
		nla_nest_end(message, word);
	}
	nla_nest_end(message, nest);
	return 0;
}
