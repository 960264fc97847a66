/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 10: the switch of targets from one state to another. */
#ifndef _HPKM_TRANSITION_H
#define _HPKM_TRANSITION_H

#include <uapi/linux/hpkm.h>

#include "binding.h"
#include "place.h"
#include "stack.h"
#include "text.h"

#define HPKM_BLOCKERS_MAX	16
#define HPKM_WHY_SIZE		160

/**
 * struct hpkm_transition - one target on its way from one state to another
 * @node: in the request
 * @target: claimed while a plan exists
 * @bindings: what externs are bound to; the request's
 * @from: its state now; NULL when nothing is patched
 * @to: its state afterwards
 * @added: the place that is new, NULL for a revert; @to holds the reference
 * @text: what the commit writes
 * @ranges: where no thread may be
 * @status: outcome so far
 * @why: text for people, for refused, error, busy and gone
 * @threads: looked at in the last stop
 * @attempts: stops that were made
 * @blockers: who blocked in the last stop
 * @blocker_count: how many of them are filled in
 * @fault_at: address of a stack page to be faulted in before the next stop, 0
 * @stale: the plan no longer fits the target and has to be made again
 * @stale_count: how often that was so
 */
struct hpkm_transition {
	struct list_head node;
	struct hpkm_target target;
	const struct hpkm_bindings *bindings;
	struct hpkm_state *from, *to;
	struct hpkm_place *added;
	struct hpkm_text text;
	struct hpkm_ranges ranges;
	enum hpkm_status status;
	char why[HPKM_WHY_SIZE];
	u32 threads;
	u32 attempts;
	struct hpkm_blocker blockers[HPKM_BLOCKERS_MAX];
	u32 blocker_count;
	unsigned long fault_at;
	bool stale;
	u32 stale_count;
};

/* plan.c: what has to be done, and undone. */
int hpkm_plan_apply(struct hpkm_transition *t, struct hpkm_patch *patch,
		    enum hpkm_consistency consistency, u32 distance);
int hpkm_plan_revert(struct hpkm_transition *t, const char *name,
		     u32 distance);
void hpkm_plan_abandon(struct hpkm_transition *t);
void hpkm_plan_complete(struct hpkm_transition *t);

/**
 * struct hpkm_stop - one stop for several targets
 * @transitions: planned
 * @count: how many
 * @commit: false for a dry run
 * @done: every target was found safe (and, unless dry, switched)
 * @checked: threads were looked at
 * @scanned: how much of their stacks
 * @pause_ns: duration of the whole call, at least what any thread stood still
 */
struct hpkm_stop {
	struct hpkm_transition **transitions;
	u32 count;
	bool commit;
	bool done;
	bool checked;
	struct hpkm_scanned scanned;
	u64 pause_ns;
};

int hpkm_stop_and_switch(struct hpkm_stop *stop);

#endif /* _HPKM_TRANSITION_H */
