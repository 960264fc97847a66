// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: messages to calls and results to messages.  It decides
 * nothing but who may ask.  The protocol is described in
 * Documentation/netlink/specs/hpkm.yaml.
 *
 * Operations run in parallel (parallel_ops): none of them waits for a
 * target, and what they share is locked where it lives.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/sock.h>

#include "compat.h"
#include "netlink.h"
#include "request.h"

#define WANTED_MAX		65536
#define DISTANCE_DEFAULT	8	/* the patent's */
#define DISTANCE_MAX		4096
#define BINDINGS_MAX		4096
#define DUMP_ROOM		32768

static struct genl_family hpkm_family;

static const struct nla_policy load_policy[HPKM_A_MAX + 1] = {
	[HPKM_A_FD] = { .type = NLA_U32 },
	[HPKM_A_OFFSET] = { .type = NLA_U64 },
	[HPKM_A_SIZE] = { .type = NLA_U64 },
};

static const struct nla_policy target_policy[HPKM_A_TARGET_MAX + 1] = {
	[HPKM_A_TARGET_PID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HPKM_A_TARGET_START_TIME] = { .type = NLA_U64 },
};

static const struct nla_policy bound_policy[HPKM_A_BOUND_MAX + 1] = {
	[HPKM_A_BOUND_EXTERN] = { .type = NLA_U32 },
	[HPKM_A_BOUND_OFFSET] = { .type = NLA_U64 },
};

static const struct nla_policy binding_policy[HPKM_A_BINDING_MAX + 1] = {
	[HPKM_A_BINDING_ID_KIND] = NLA_POLICY_RANGE(NLA_U32, HPKM_ID_BUILD_ID,
						    HPKM_ID_PAGE_DIGEST),
	[HPKM_A_BINDING_ID] = { .type = NLA_BINARY, .len = HPKM_ID_MAX },
	[HPKM_A_BINDING_ID_OFFSET] = { .type = NLA_U64 },
	[HPKM_A_BINDING_BOUND] = NLA_POLICY_NESTED(bound_policy),
};

/* A day, in milliseconds. */
static struct netlink_range_validation wait_range = { .max = 86400000 };

static const struct nla_policy request_policy[HPKM_A_MAX + 1] = {
	[HPKM_A_PATCH_NAME] = { .type = NLA_NUL_STRING, .len = HPKM_NAME_MAX },
	[HPKM_A_TARGET] = NLA_POLICY_NESTED(target_policy),
	[HPKM_A_ALL] = { .type = NLA_FLAG },
	[HPKM_A_DRY_RUN] = { .type = NLA_FLAG },
	[HPKM_A_CONSISTENCY] = NLA_POLICY_MAX(NLA_U32, HPKM_CONSISTENCY_IP),
	[HPKM_A_DISTANCE] = NLA_POLICY_MAX(NLA_U32, DISTANCE_MAX),
	[HPKM_A_WAIT] = NLA_POLICY_FULL_RANGE(NLA_U32, &wait_range),
	[HPKM_A_BINDING] = NLA_POLICY_NESTED(binding_policy),
};

/* Addresses and names of what runs are shown, so readers are checked, too. */
static int check_caller(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN) &&
	    netlink_capable(skb, CAP_SYS_PTRACE))
		return 0;
	NL_SET_ERR_MSG(extack, "needs CAP_SYS_ADMIN and CAP_SYS_PTRACE");
	return -EPERM;
}

static int missing(struct genl_info *info, const char *what)
{
	hpkm_extack(info->extack, "attribute %s is needed", what);
	return -EINVAL;
}

static int reply_loaded(struct genl_info *info, const struct hpkm_patch *patch)
{
	struct sk_buff *skb = genlmsg_new(1024, GFP_KERNEL);
	void *head;

	if (!skb)
		return -ENOMEM;
	head = genlmsg_put_reply(skb, info, &hpkm_family, 0, HPKM_CMD_LOAD);
	if (!head ||
	    nla_put_string(skb, HPKM_A_PATCH_NAME, hpkm_patch_name(patch)) ||
	    nla_put_string(skb, HPKM_A_PATCH_VERSION,
			   hpkm_patch_version(patch)) ||
	    nla_put_u32(skb, HPKM_A_PATCH_FUNCS,
			hpkm_patch_header(patch)->funcs.count)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return genlmsg_reply(skb, info);
}

static int load_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hpkm_patch *patch;
	struct file *file;
	int ret = check_caller(skb, info->extack);

	if (ret)
		return ret;
	if (!info->attrs[HPKM_A_FD])
		return missing(info, "fd");
	if (!info->attrs[HPKM_A_OFFSET])
		return missing(info, "offset");
	if (!info->attrs[HPKM_A_SIZE])
		return missing(info, "size");
	file = fget(nla_get_u32(info->attrs[HPKM_A_FD]));
	if (!file || !(file->f_mode & FMODE_READ)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[HPKM_A_FD],
				    "not a file that is open for reading");
		if (file)
			fput(file);
		return -EBADF;
	}
	patch = hpkm_patch_load(info->snd_portid, file,
				nla_get_u64(info->attrs[HPKM_A_OFFSET]),
				nla_get_u64(info->attrs[HPKM_A_SIZE]),
				info->extack);
	fput(file);
	if (IS_ERR(patch))
		return PTR_ERR(patch);
	ret = reply_loaded(info, patch);
	hpkm_patch_put(patch);
	return ret;
}

/* A process that the message names, in the sender's pid namespace. */
static int parse_target(struct hpkm_request *request, struct nlattr *attr,
			struct genl_info *info)
{
	struct hpkm_wanted *w = &request->wanted[request->wanted_count];
	struct nlattr *tb[HPKM_A_TARGET_MAX + 1];
	int ret;

	ret = nla_parse_nested(tb, HPKM_A_TARGET_MAX, attr, target_policy,
			       info->extack);
	if (ret)
		return ret;
	if (!tb[HPKM_A_TARGET_PID]) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "a target without pid");
		return -EINVAL;
	}
	w->group = find_get_pid(nla_get_u32(tb[HPKM_A_TARGET_PID]));
	if (!w->group) {
		hpkm_extack(info->extack, "there is no process %u",
			    nla_get_u32(tb[HPKM_A_TARGET_PID]));
		return -ESRCH;
	}
	request->wanted_count++;
	if (tb[HPKM_A_TARGET_START_TIME])
		w->start_time = nla_get_u64(tb[HPKM_A_TARGET_START_TIME]);
	return 0;
}

static u32 u32_or(const struct genl_info *info, int attr, u32 otherwise)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : otherwise;
}

/* What apply and revert have in common. */
static struct hpkm_request *parse_request(struct sk_buff *skb,
					  struct genl_info *info)
{
	struct hpkm_request *request;
	struct nlattr *attr;
	u32 targets = 0;
	int rest, ret;

	ret = check_caller(skb, info->extack);
	if (ret)
		return ERR_PTR(ret);
	if (!info->attrs[HPKM_A_PATCH_NAME])
		return ERR_PTR(missing(info, "patch-name"));
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest)
		targets += nla_type(attr) == HPKM_A_TARGET;
	if (!targets == !info->attrs[HPKM_A_ALL]) {
		NL_SET_ERR_MSG(info->extack, "either targets or all");
		return ERR_PTR(-EINVAL);
	}
	if (targets > WANTED_MAX) {
		NL_SET_ERR_MSG(info->extack, "too many targets");
		return ERR_PTR(-E2BIG);
	}
	request = hpkm_request_alloc(targets);
	if (!request)
		return ERR_PTR(-ENOMEM);
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != HPKM_A_TARGET)
			continue;
		ret = parse_target(request, attr, info);
		if (ret) {
			hpkm_request_free(request);
			return ERR_PTR(ret);
		}
	}
	request->portid = info->snd_portid;
	request->seq = info->snd_seq;
	nla_strscpy(request->name, info->attrs[HPKM_A_PATCH_NAME],
		    sizeof(request->name));
	request->all = info->attrs[HPKM_A_ALL];
	request->dry_run = info->attrs[HPKM_A_DRY_RUN];
	request->consistency = u32_or(info, HPKM_A_CONSISTENCY,
				      HPKM_CONSISTENCY_STACK);
	request->distance = u32_or(info, HPKM_A_DISTANCE, DISTANCE_DEFAULT);
	request->wait_ms = u32_or(info, HPKM_A_WAIT, 0);
	return request;
}

static int queue_request(struct hpkm_request *request, struct genl_info *info)
{
	int ret = hpkm_request_queue(request);

	if (!ret)
		return 0;
	hpkm_extack(info->extack, "%s", ret == -EBUSY ?
		    "too many requests are running" :
		    "the module is being removed");
	hpkm_request_free(request);
	return ret;
}

/* The attributes of that type at the top of a message, or in a nest. */
static u32 count_attrs(const struct nlattr *first, int length, int type)
{
	const struct nlattr *attr;
	u32 count = 0;
	int rest;

	nla_for_each_attr(attr, first, length, rest)
		count += nla_type(attr) == type;
	return count;
}

static int parse_bound(struct hpkm_request *request,
		       struct hpkm_binding *binding, struct nlattr *attr,
		       struct genl_info *info)
{
	u32 externs = hpkm_patch_header(request->patch)->externs.count;
	struct hpkm_bound *b = &binding->bound[binding->count];
	struct nlattr *tb[HPKM_A_BOUND_MAX + 1];
	int ret;

	ret = nla_parse_nested(tb, HPKM_A_BOUND_MAX, attr, bound_policy,
			       info->extack);
	if (ret)
		return ret;
	if (!tb[HPKM_A_BOUND_EXTERN] || !tb[HPKM_A_BOUND_OFFSET]) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "a binding without extern or offset");
		return -EINVAL;
	}
	b->index = nla_get_u32(tb[HPKM_A_BOUND_EXTERN]);
	b->offset = nla_get_u64(tb[HPKM_A_BOUND_OFFSET]);
	if (b->index >= externs) {
		hpkm_extack(info->extack, "the patch has no extern %u",
			    b->index);
		return -EINVAL;
	}
	for (u32 i = 0; i < binding->count; i++) {
		if (binding->bound[i].index != b->index)
			continue;
		hpkm_extack(info->extack, "extern %u is bound twice",
			    b->index);
		return -EINVAL;
	}
	binding->count++;
	return 0;
}

static int parse_identity(struct hpkm_image_object *o, struct nlattr **tb,
			  struct genl_info *info)
{
	if (!tb[HPKM_A_BINDING_ID_KIND] || !tb[HPKM_A_BINDING_ID] ||
	    !tb[HPKM_A_BINDING_ID_OFFSET]) {
		NL_SET_ERR_MSG(info->extack, "a binding without its object");
		return -EINVAL;
	}
	o->id_kind = nla_get_u32(tb[HPKM_A_BINDING_ID_KIND]);
	o->id_size = nla_len(tb[HPKM_A_BINDING_ID]);
	o->id_offset = nla_get_u64(tb[HPKM_A_BINDING_ID_OFFSET]);
	memcpy(o->id, nla_data(tb[HPKM_A_BINDING_ID]), o->id_size);
	if ((o->id_kind == HPKM_ID_BUILD_ID && o->id_size &&
	     o->id_offset < TASK_SIZE_MAX) ||
	    (o->id_kind == HPKM_ID_PAGE_DIGEST && !o->id_offset &&
	     o->id_size == HPKM_DIGEST_SIZE))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, tb[HPKM_A_BINDING_ID],
			    "not the identity of an object");
	return -EINVAL;
}

static int parse_binding(struct hpkm_request *request, struct nlattr *attr,
			 struct genl_info *info)
{
	struct hpkm_bindings *all = &request->bindings;
	struct nlattr *tb[HPKM_A_BINDING_MAX + 1], *bound;
	struct hpkm_binding *binding = &all->binding[all->count];
	u32 count;
	int rest, ret;

	ret = nla_parse_nested(tb, HPKM_A_BINDING_MAX, attr, binding_policy,
			       info->extack);
	if (ret)
		return ret;
	ret = parse_identity(&binding->object, tb, info);
	if (ret)
		return ret;
	count = count_attrs(nla_data(attr), nla_len(attr),
			    HPKM_A_BINDING_BOUND);
	binding->bound = kvcalloc(count + 1, sizeof(*binding->bound),
				  GFP_KERNEL);
	if (!binding->bound)
		return -ENOMEM;
	all->count++;
	nla_for_each_nested(bound, attr, rest) {
		if (nla_type(bound) != HPKM_A_BINDING_BOUND)
			continue;
		if (binding->count >= HPKM_EXTERNS_MAX)
			return -E2BIG;
		ret = parse_bound(request, binding, bound, info);
		if (ret)
			return ret;
	}
	return 0;
}

/* What the patch's externs stand for; request->patch is known. */
static int parse_bindings(struct hpkm_request *request, struct genl_info *info)
{
	struct nlattr *attr;
	u32 count;
	int rest, ret;

	count = count_attrs(nlmsg_attrdata(info->nlhdr, GENL_HDRLEN),
			    nlmsg_attrlen(info->nlhdr, GENL_HDRLEN),
			    HPKM_A_BINDING);
	if (!count)
		return 0;
	if (count > BINDINGS_MAX) {
		NL_SET_ERR_MSG(info->extack, "too many bindings");
		return -E2BIG;
	}
	request->bindings.binding = kvcalloc(count,
					     sizeof(struct hpkm_binding),
					     GFP_KERNEL);
	if (!request->bindings.binding)
		return -ENOMEM;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != HPKM_A_BINDING)
			continue;
		ret = parse_binding(request, attr, info);
		if (ret)
			return ret;
	}
	return 0;
}

static int apply_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hpkm_request *request = parse_request(skb, info);
	int ret;

	if (IS_ERR(request))
		return PTR_ERR(request);
	request->patch = hpkm_patch_find(request->name);
	if (!request->patch) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[HPKM_A_PATCH_NAME],
				    "no patch of this name is loaded");
		hpkm_request_free(request);
		return -ENOENT;
	}
	ret = parse_bindings(request, info);
	if (ret) {
		hpkm_request_free(request);
		return ret;
	}
	return queue_request(request, info);
}

static int revert_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hpkm_request *request = parse_request(skb, info);

	if (IS_ERR(request))
		return PTR_ERR(request);
	if (info->attrs[HPKM_A_BINDING]) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[HPKM_A_BINDING],
				    "a revert binds nothing");
		hpkm_request_free(request);
		return -EINVAL;
	}
	return queue_request(request, info);
}

static int put_blocker(struct sk_buff *skb, const struct hpkm_blocker *b)
{
	struct nlattr *nest = nla_nest_start(skb, HPKM_A_TARGET_BLOCKED);

	if (!nest || nla_put_u32(skb, HPKM_A_BLOCKED_TID, b->tid) ||
	    nla_put_string(skb, HPKM_A_BLOCKED_FUNC, b->func) ||
	    nla_put_string(skb, HPKM_A_BLOCKED_COMM, b->comm))
		return -EMSGSIZE;
	if (b->ip && nla_put_u64_64bit(skb, HPKM_A_BLOCKED_IP, b->ip, 0))
		return -EMSGSIZE;
	if (b->on_stack && nla_put_u64_64bit(skb, HPKM_A_BLOCKED_ON_STACK,
					     b->on_stack, 0))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* @addresses: not for everybody. */
static int put_target(struct sk_buff *skb, const struct hpkm_transition *t,
		      bool addresses)
{
	struct nlattr *nest = nla_nest_start(skb, HPKM_A_TARGET);

	if (!nest || nla_put_u32(skb, HPKM_A_TARGET_PID, t->target.pid) ||
	    nla_put_string(skb, HPKM_A_TARGET_COMM, t->target.comm) ||
	    nla_put_u32(skb, HPKM_A_TARGET_STATUS, t->status) ||
	    nla_put_string(skb, HPKM_A_TARGET_ERROR, t->why) ||
	    nla_put_u32(skb, HPKM_A_TARGET_THREADS, t->threads) ||
	    nla_put_u32(skb, HPKM_A_TARGET_ATTEMPTS, t->attempts))
		return -EMSGSIZE;
	for (u32 i = 0; i < t->blocker_count; i++) {
		struct hpkm_blocker b = t->blockers[i];

		if (!addresses) {
			b.ip = 0;
			b.on_stack = 0;
		}
		if (put_blocker(skb, &b))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static size_t target_size(const struct hpkm_transition *t)
{
	return 1024 + t->blocker_count * (sizeof(struct hpkm_blocker) + 64);
}

static struct sk_buff *make_result(const struct hpkm_request *request,
				   const struct hpkm_transition *t)
{
	struct sk_buff *skb = genlmsg_new(target_size(t), GFP_KERNEL);
	void *head;

	if (!skb)
		return NULL;
	head = genlmsg_put(skb, request->portid, request->seq, &hpkm_family, 0,
			   HPKM_CMD_RESULT);
	if (!head ||
	    nla_put_string(skb, HPKM_A_PATCH_NAME, request->name) ||
	    put_target(skb, t, true)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, head);
	return skb;
}

static struct sk_buff *make_done(const struct hpkm_request *request,
				 const struct hpkm_transition *unused)
{
	struct sk_buff *skb = genlmsg_new(1024, GFP_KERNEL);
	const struct hpkm_transition *t;
	u32 targets = 0;
	void *head;

	if (!skb)
		return NULL;
	list_for_each_entry(t, &request->transitions, node)
		targets++;
	head = genlmsg_put(skb, request->portid, request->seq, &hpkm_family, 0,
			   HPKM_CMD_DONE);
	if (!head ||
	    nla_put_string(skb, HPKM_A_PATCH_NAME, request->name) ||
	    (request->patch &&
	     nla_put_string(skb, HPKM_A_PATCH_VERSION,
			    hpkm_patch_version(request->patch))) ||
	    nla_put_u32(skb, HPKM_A_STATUS, request->status) ||
	    nla_put_string(skb, HPKM_A_ERROR, request->why) ||
	    nla_put_u64_64bit(skb, HPKM_A_PAUSE_NS, request->pause_ns, 0) ||
	    nla_put_u32(skb, HPKM_A_ATTEMPTS, request->attempts) ||
	    nla_put_u64_64bit(skb, HPKM_A_WORDS, request->words, 0) ||
	    nla_put_u32(skb, HPKM_A_TARGETS, targets)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, head);
	return skb;
}

/*
 * Deliver a message, however slowly the client reads: it is made anew for
 * each try, for a try uses it up.
 */
static int deliver(struct hpkm_request *request,
		   const struct hpkm_transition *t,
		   struct sk_buff *(*make)(const struct hpkm_request *request,
					   const struct hpkm_transition *t))
{
	int ret = -EAGAIN;

	while (!READ_ONCE(request->cancelled)) {
		struct sk_buff *skb = make(request, t);

		if (skb)
			ret = genlmsg_unicast(&init_net, skb, request->portid);
		if (ret != -EAGAIN)
			return ret;
		msleep(20);
	}
	return -ECONNREFUSED;
}

static int report_result(struct hpkm_request *request,
			 const struct hpkm_transition *t)
{
	return deliver(request, t, make_result);
}

static int report_done(struct hpkm_request *request)
{
	return deliver(request, NULL, make_done);
}

static void report_notice(const struct hpkm_request *request,
			  enum hpkm_event event,
			  const struct hpkm_transition *t)
{
	struct sk_buff *skb;
	void *head;

	if (!genl_has_listeners(&hpkm_family, &init_net, 0))
		return;
	skb = genlmsg_new(target_size(t), GFP_KERNEL);
	if (!skb)
		return;
	head = genlmsg_put(skb, 0, 0, &hpkm_family, 0, HPKM_CMD_NOTICE);
	if (!head || nla_put_u32(skb, HPKM_A_EVENT, event) ||
	    nla_put_string(skb, HPKM_A_PATCH_NAME, request->name) ||
	    put_target(skb, t, false)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, head);
	genlmsg_multicast(&hpkm_family, skb, 0, 0, GFP_KERNEL);
}

static const struct hpkm_reporter reporter = {
	.result = report_result,
	.done = report_done,
	.notice = report_notice,
};

static int patch_get_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = DUMP_ROOM;
	return check_caller(cb->skb, cb->extack);
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

static int patch_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
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
	u32 place, func;	/* in it */
	struct {
		pid_t pid;
		u64 start_time;
		char comm[TASK_COMM_LEN];
		struct hpkm_state *state;
	} target[];
};

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
		if (state && !state->place_count) {
			hpkm_state_put(state);
		} else if (state) {
			typeof(dump->target[0]) *d =
				&dump->target[dump->count++];

			d->pid = target.pid;
			d->start_time = target.start_time;
			memcpy(d->comm, target.comm, sizeof(d->comm));
			d->state = state;
		}
	}
	hpkm_target_close(&target);
	put_pid(group);
}

static int target_get_start(struct netlink_callback *cb)
{
	struct target_dump *dump;
	size_t count;
	pid_t *pids;
	int ret;

	ret = check_caller(cb->skb, cb->extack);
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

static int target_get_done(struct netlink_callback *cb)
{
	struct target_dump *dump = (void *)cb->args[0];

	for (size_t i = 0; dump && i < dump->count; i++)
		hpkm_state_put(dump->target[i].state);
	kvfree(dump);
	return 0;
}

static int put_object(struct sk_buff *skb, const struct hpkm_place *place,
		      u32 i)
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
	nla_nest_end(skb, nest);
	return 0;
}

static int put_func(struct sk_buff *skb, const struct hpkm_state *state,
		    u32 place, u32 func)
{
	const struct hpkm_place *p = state->places[place];
	unsigned long old = hpkm_place_old(p, func);
	const struct hpkm_site *site = hpkm_state_site(state, old);
	struct nlattr *nest = nla_nest_start(skb, HPKM_A_PLACED_FUNC);

	if (!nest ||
	    nla_put_string(skb, HPKM_A_FUNC_NAME,
			   hpkm_place_func_name(p, func)) ||
	    nla_put_u64_64bit(skb, HPKM_A_FUNC_OLD, old, 0) ||
	    nla_put_u64_64bit(skb, HPKM_A_FUNC_NEW, hpkm_place_new(p, func),
			      0) ||
	    nla_put_u64_64bit(skb, HPKM_A_FUNC_SLOT, site->slot, 0) ||
	    (site->place == place && nla_put_flag(skb, HPKM_A_FUNC_ACTIVE))) {
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
	const struct hpkm_place *place = state->places[dump->place];
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
	    nla_put_u32(skb, HPKM_A_PLACED_ORDER, dump->place + 1))
		return -EMSGSIZE;
	for (u32 i = 0; !first && i < objects; i++)
		if (put_object(skb, place, i))
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
	if (++dump->place == state->place_count) {
		dump->place = 0;
		dump->next++;
	}
	return 0;
}

static int target_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
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

static const struct genl_ops hpkm_ops[] = {
	{
		.cmd = HPKM_CMD_LOAD,
		.doit = load_doit,
		.policy = load_policy,
		.maxattr = HPKM_A_MAX,
	},
	{
		.cmd = HPKM_CMD_APPLY,
		.doit = apply_doit,
		.policy = request_policy,
		.maxattr = HPKM_A_MAX,
	},
	{
		.cmd = HPKM_CMD_REVERT,
		.doit = revert_doit,
		.policy = request_policy,
		.maxattr = HPKM_A_MAX,
	},
	{
		.cmd = HPKM_CMD_PATCH_GET,
		.start = patch_get_start,
		.dumpit = patch_get_dumpit,
	},
	{
		.cmd = HPKM_CMD_TARGET_GET,
		.start = target_get_start,
		.dumpit = target_get_dumpit,
		.done = target_get_done,
	},
};

/* Events hold no addresses, but names of processes and functions. */
static const struct genl_multicast_group hpkm_groups[] = {
	{
		.name = HPKM_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
	},
};

static struct genl_family hpkm_family __ro_after_init = {
	.name = HPKM_FAMILY_NAME,
	.version = HPKM_FAMILY_VERSION,
	.maxattr = HPKM_A_MAX,
	.module = THIS_MODULE,
	.ops = hpkm_ops,
	.n_ops = ARRAY_SIZE(hpkm_ops),
	.resv_start_op = HPKM_CMD_MAX + 1,
	.mcgrps = hpkm_groups,
	.n_mcgrps = ARRAY_SIZE(hpkm_groups),
	.parallel_ops = true,
};

/* A socket is closed: what it asked for is cancelled, its claims go. */
static int socket_closed(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	const struct netlink_notify *n = data;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC &&
	    net_eq(n->net, &init_net)) {
		hpkm_request_cancel(n->portid);
		hpkm_patch_disclaim(n->portid);
	}
	return NOTIFY_DONE;
}

static struct notifier_block socket_notifier = {
	.notifier_call = socket_closed,
};

int hpkm_netlink_init(void)
{
	int ret;

	ret = hpkm_request_init(&reporter);
	if (ret)
		return ret;
	ret = netlink_register_notifier(&socket_notifier);
	if (ret)
		goto exit_request;
	ret = genl_register_family(&hpkm_family);
	if (ret)
		goto unregister_notifier;
	return 0;

unregister_notifier:
	netlink_unregister_notifier(&socket_notifier);
exit_request:
	hpkm_request_exit();
	return ret;
}

void hpkm_netlink_exit(void)
{
	/* No new requests; then wait for the running ones, which report. */
	hpkm_request_exit();
	genl_unregister_family(&hpkm_family);
	netlink_unregister_notifier(&socket_notifier);
}
