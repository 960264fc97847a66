// SPDX-License-Identifier: GPL-2.0
/* Stage 7 for one request: which processes it is about. */
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "collect.h"

static struct hpkm_transition *alloc_transition(bool each)
{
	struct hpkm_transition *t = kvzalloc(sizeof(*t), GFP_KERNEL);

	if (!t || !each)
		return t;
	t->sleepers = kzalloc(sizeof(*t->sleepers), GFP_KERNEL);
	if (t->sleepers)
		return t;
	kvfree(t);
	return NULL;
}

static struct hpkm_transition *new_transition(struct hpkm_request *request)
{
	struct hpkm_transition *t = alloc_transition(request->each);

	if (!t) {
		request->status = HPKM_STATUS_ERROR;
		snprintf(request->why, sizeof(request->why),
			 "out of kernel memory");
		return NULL;
	}
	t->status = HPKM_STATUS_READY;
	t->bindings = &request->bindings;
	return t;
}

void hpkm_transition_free_doubts(struct hpkm_transition *t)
{
	while (t->doubt_count)
		kvfree(t->doubts[--t->doubt_count]);
}

/* With everything that it refers to; it is in no list. */
void hpkm_transition_free(struct hpkm_transition *t)
{
	hpkm_transition_free_doubts(t);
	kfree(t->sleepers);
	kvfree(t->dead);
	hpkm_target_close(&t->target);
	kvfree(t);
}

static bool is_known(const struct hpkm_request *request,
		     const struct mm_struct *mm)
{
	const struct hpkm_transition *t;

	hash_for_each_possible(request->by_mm, t, by_mm, (unsigned long)mm)
		if (t->target.mm == mm)
			return true;
	return false;
}

static void add_transition(struct hpkm_request *request,
			   struct hpkm_transition *t)
{
	list_add_tail(&t->node, &request->transitions);
	hash_add(request->by_mm, &t->by_mm, (unsigned long)t->target.mm);
}

/**
 * hpkm_collect_wanted() - the processes that were named
 * @request: gets a transition for each; those that share an mm count once
 *
 * Context: Kernel worker.
 * Return: 0; -ENOMEM, and the request says so.
 */
int hpkm_collect_wanted(struct hpkm_request *request)
{
	for (u32 i = 0; i < request->wanted_count; i++) {
		const struct hpkm_wanted *w = &request->wanted[i];
		struct hpkm_transition *t = new_transition(request);
		int ret;

		if (!t)
			return -ENOMEM;
		ret = hpkm_target_open(&t->target, w->group, w->start_time,
				       t->why, sizeof(t->why));
		t->target.named = true;
		if (ret)
			t->status = ret == -ESRCH ? HPKM_STATUS_GONE :
						    HPKM_STATUS_REFUSED;
		if (!ret && is_known(request, t->target.mm))
			hpkm_transition_free(t);
		else
			add_transition(request, t);
	}
	return 0;
}

static bool is_concerned(const struct hpkm_request *request,
			 struct hpkm_transition *t)
{
	struct hpkm_state *state;
	bool yes;

	if (request->patch) {
		enum hpkm_maps maps = hpkm_target_maps(&t->target,
						       request->patch);

		if (maps == HPKM_MAPS_SERVED) {
			t->status = HPKM_STATUS_REFUSED;
			snprintf(t->why, sizeof(t->why),
				 "its files are served by a process (FUSE), which might never answer: name it with --pid");
		}
		return maps != HPKM_MAPS_NOT;
	}
	state = hpkm_state_of(t->target.mm);
	yes = hpkm_state_find_name(state, request->name) >= 0;
	hpkm_state_put(state);
	return yes;
}

static int collect_process(struct hpkm_request *request, pid_t pid)
{
	struct pid *group = find_get_pid(pid);
	struct hpkm_transition *t;
	bool keep;

	if (!group)
		return 0;
	t = new_transition(request);
	if (!t) {
		put_pid(group);
		return -ENOMEM;
	}
	keep = !hpkm_target_open(&t->target, group, 0, t->why,
				 sizeof(t->why)) &&
	       !is_known(request, t->target.mm) &&
	       is_concerned(request, t);
	put_pid(group);
	if (keep)
		add_transition(request, t);
	else
		hpkm_transition_free(t);
	return 0;
}

/**
 * hpkm_collect_all() - all processes that there is something to do for
 * @request: gets a transition for each that it does not have
 *
 * Context: Kernel worker.
 * Return: 0; -ENOMEM, and the request says so.
 */
int hpkm_collect_all(struct hpkm_request *request)
{
	size_t count;
	pid_t *pids = hpkm_target_pids(&count);
	int ret = 0;

	if (!pids) {
		request->status = HPKM_STATUS_ERROR;
		return -ENOMEM;
	}
	for (size_t i = 0; i < count && !ret; i++) {
		if (hpkm_request_cancelled(request))
			break;
		ret = collect_process(request, pids[i]);
		cond_resched();
	}
	kvfree(pids);
	return ret;
}
