// SPDX-License-Identifier: GPL-2.0
/* What there is: patches and targets to messages. */
#include <linux/slab.h>
#include <net/netlink.h>

#include "hook.h"
#include "netlink.h"

#define DUMP_ROOM	32768

int hpkm_patch_get_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = DUMP_ROOM;
	return hpkm_netlink_check(cb->skb, cb->extack);
}

static int put_patch(struct sk_buff *skb, const struct hpkm_patch *patch)
{
	const struct hpkm_image_header *h = hpkm_patch_header(patch);

	return nla_put_string(skb, HPKM_A_PATCH_NAME,
			      hpkm_patch_name(patch)) ||
	       nla_put_string(skb, HPKM_A_PATCH_VERSION,
			      hpkm_patch_version(patch)) ||
	       nla_put_string(skb, HPKM_A_PATCH_DESCRIPTION,
			      hpkm_patch_string(patch, h->description)) ||
	       nla_put_u64_64bit(skb, HPKM_A_PATCH_SIZE, h->size, 0) ||
	       nla_put_u32(skb, HPKM_A_PATCH_FUNCS, h->funcs.count) ||
	       nla_put_u32(skb, HPKM_A_PATCH_USES,
			   atomic_read(&patch->places));
}

int hpkm_patch_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct hpkm_patch *patch;

	while ((patch = hpkm_patch_nth(cb->args[0]))) {
		void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
					 cb->nlh->nlmsg_seq, &hpkm_family,
					 NLM_F_MULTI, HPKM_CMD_PATCH_GET);
		bool full = !head || put_patch(skb, patch);

		hpkm_patch_put(patch);
		if (full) {
			if (head)
				genlmsg_cancel(skb, head);
			break;
		}
		genlmsg_end(skb, head);
		cb->args[0]++;
	}
	return skb->len;
}

/* A dump of targets: what was patched when it began. */
struct target_dump {
	size_t count;
	size_t next;		/* target */
	u32 place, func;	/* in it; places that retire come last */
	struct {
		pid_t pid;
		u64 start_time;
		char comm[TASK_COMM_LEN];
		struct hpkm_state *state;
		/* By enabled patch and object; NULL when none has hooks. */
		u32 *hooks;
	} target[];
};

#define NO_HOOK		U32_MAX

/* Where a patch's objects begin in @hooks. */
static u32 first_hook(const struct hpkm_state *state, u32 place)
{
	u32 count = 0;

	for (u32 i = 0; i < place; i++)
		count += hpkm_patch_header(state->places[i]->patch)->objects
			.count;
	return count;
}

static u32 *read_hooks(const struct hpkm_target *target,
		       const struct hpkm_state *state)
{
	u32 count = first_hook(state, state->place_count), k = 0;
	bool any = false;
	u32 *hooks;

	for (u32 i = 0; i < state->place_count; i++)
		any |= hpkm_patch_header(state->places[i]->patch)->hooks.count;
	hooks = any ? kvmalloc_array(count, sizeof(*hooks), GFP_KERNEL) : NULL;
	for (u32 i = 0; hooks && i < state->place_count; i++) {
		const struct hpkm_place *place = state->places[i];
		u32 n = hpkm_patch_header(place->patch)->objects.count;

		for (u32 o = 0; o < n; o++, k++)
			if (!hpkm_hook_state(target, place, o, &hooks[k]))
				hooks[k] = NO_HOOK;
	}
	return hooks;
}

static void add_target(struct target_dump *dump, pid_t pid)
{
	struct pid *group = find_get_pid(pid);
	struct hpkm_target target;
	char why[HPKM_WHY_SIZE];

	if (!group)
		return;
	if (!hpkm_target_open(&target, group, 0, why, sizeof(why))) {
		struct hpkm_state *state = hpkm_state_of(target.mm);

		/* A revert that is just being completed leaves an empty one. */
		if (state && !state->place_count && !state->retiring_count) {
			hpkm_state_put(state);
		} else if (state) {
			typeof(dump->target[0]) *d =
				&dump->target[dump->count++];

			d->pid = target.pid;
			d->start_time = target.start_time;
			memcpy(d->comm, target.comm, sizeof(d->comm));
			d->state = state;
			d->hooks = read_hooks(&target, state);
		}
	}
	hpkm_target_close(&target);
	put_pid(group);
}

int hpkm_target_get_start(struct netlink_callback *cb)
{
	struct target_dump *dump;
	size_t count;
	pid_t *pids;
	int ret;

	ret = hpkm_netlink_check(cb->skb, cb->extack);
	if (ret)
		return ret;
	cb->min_dump_alloc = DUMP_ROOM;
	pids = hpkm_target_pids(&count);
	if (!pids)
		return -ENOMEM;
	dump = kvzalloc(struct_size(dump, target, count), GFP_KERNEL);
	if (dump) {
		for (size_t i = 0; i < count; i++) {
			add_target(dump, pids[i]);
			cond_resched();
		}
	}
	kvfree(pids);
	cb->args[0] = (unsigned long)dump;
	return dump ? 0 : -ENOMEM;
}

int hpkm_target_get_done(struct netlink_callback *cb)
{
	struct target_dump *dump = (void *)cb->args[0];

	for (size_t i = 0; dump && i < dump->count; i++) {
		hpkm_state_put(dump->target[i].state);
		kvfree(dump->target[i].hooks);
	}
	kvfree(dump);
	return 0;
}

static int put_object(struct sk_buff *skb, const struct hpkm_place *place,
		      u32 i, u32 hook)
{
	const struct hpkm_image_object *o =
		&hpkm_image_objects(place->patch->image)[i];
	struct nlattr *nest = nla_nest_start(skb, HPKM_A_PLACED_OBJECT);

	if (!nest ||
	    nla_put_string(skb, HPKM_A_OBJECT_NAME,
			   hpkm_patch_string(place->patch, o->name)) ||
	    nla_put(skb, HPKM_A_OBJECT_BUILD_ID, o->id_size, o->id) ||
	    nla_put_u64_64bit(skb, HPKM_A_OBJECT_BASE, place->at[i].base, 0) ||
	    nla_put_u64_64bit(skb, HPKM_A_OBJECT_SPAN, place->at[i].span, 0) ||
	    nla_put_u64_64bit(skb, HPKM_A_OBJECT_SPAN_SIZE, o->span_size, 0))
		return -EMSGSIZE;
	if (hook != NO_HOOK && nla_put_u32(skb, HPKM_A_OBJECT_HOOK, hook))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* One that is enabled, in stack order, or one that retires. */
static const struct hpkm_place *place_at(const struct hpkm_state *state,
					 u32 place)
{
	return place < state->place_count ? state->places[place] :
	       state->retiring[place - state->place_count];
}

static int put_func(struct sk_buff *skb, const struct hpkm_state *state,
		    u32 place, u32 func)
{
	const struct hpkm_place *p = place_at(state, place);
	unsigned long old = hpkm_place_old(p, func);
	const struct hpkm_site *site = hpkm_state_site(state, old);
	bool retiring = place >= state->place_count;
	struct nlattr *nest = nla_nest_start(skb, HPKM_A_PLACED_FUNC);

	if (!nest ||
	    nla_put_string(skb, HPKM_A_FUNC_NAME,
			   hpkm_place_func_name(p, func)) ||
	    nla_put_u64_64bit(skb, HPKM_A_FUNC_OLD, old, 0) ||
	    nla_put_u64_64bit(skb, HPKM_A_FUNC_NEW, hpkm_place_new(p, func),
			      0) ||
	    (!retiring &&
	     nla_put_u64_64bit(skb, HPKM_A_FUNC_SLOT, site->slot, 0)) ||
	    (!retiring && site->place == place &&
	     nla_put_flag(skb, HPKM_A_FUNC_ACTIVE))) {
		if (nest)
			nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* As much of a patch as there is room for; objects come with the first. */
static int put_placed(struct sk_buff *skb, struct target_dump *dump)
{
	const typeof(dump->target[0]) *d = &dump->target[dump->next];
	const struct hpkm_state *state = d->state;
	const struct hpkm_place *place = place_at(state, dump->place);
	bool retiring = dump->place >= state->place_count;
	u32 objects = hpkm_patch_header(place->patch)->objects.count;
	u32 funcs = hpkm_place_func_count(place), first = dump->func;
	struct nlattr *target, *patch;

	target = nla_nest_start(skb, HPKM_A_TARGET);
	if (!target ||
	    nla_put_u32(skb, HPKM_A_TARGET_PID, d->pid) ||
	    nla_put_u64_64bit(skb, HPKM_A_TARGET_START_TIME, d->start_time,
			      0) ||
	    nla_put_string(skb, HPKM_A_TARGET_COMM, d->comm))
		return -EMSGSIZE;
	patch = nla_nest_start(skb, HPKM_A_TARGET_PATCH);
	if (!patch ||
	    nla_put_string(skb, HPKM_A_PLACED_NAME,
			   hpkm_patch_name(place->patch)) ||
	    nla_put_string(skb, HPKM_A_PLACED_VERSION,
			   hpkm_patch_version(place->patch)) ||
	    (!retiring &&
	     nla_put_u32(skb, HPKM_A_PLACED_ORDER, dump->place + 1)) ||
	    (retiring && nla_put_flag(skb, HPKM_A_PLACED_RETIRING)))
		return -EMSGSIZE;
	for (u32 i = 0; !first && i < objects; i++)
		if (put_object(skb, place, i, d->hooks && !retiring ?
			       d->hooks[first_hook(state, dump->place) + i] :
			       NO_HOOK))
			return -EMSGSIZE;
	while (dump->func < funcs &&
	       !put_func(skb, state, dump->place, dump->func))
		dump->func++;
	if (dump->func == first)
		return -EMSGSIZE;
	nla_nest_end(skb, patch);
	nla_nest_end(skb, target);
	if (dump->func < funcs)
		return 0;
	dump->func = 0;
	if (++dump->place == state->place_count + state->retiring_count) {
		dump->place = 0;
		dump->next++;
	}
	return 0;
}

int hpkm_target_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct target_dump *dump = (void *)cb->args[0];

	while (dump->next < dump->count) {
		void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
					 cb->nlh->nlmsg_seq, &hpkm_family,
					 NLM_F_MULTI, HPKM_CMD_TARGET_GET);

		if (!head)
			break;
		if (put_placed(skb, dump)) {
			genlmsg_cancel(skb, head);
			return skb->len ? skb->len : -EMSGSIZE;
		}
		genlmsg_end(skb, head);
	}
	return skb->len;
}
