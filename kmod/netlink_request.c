// SPDX-License-Identifier: GPL-2.0
/* What clients ask for: messages to calls. */
#include <linux/file.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "compat.h"
#include "netlink.h"
#include "running.h"

#define WANTED_MAX		65536
#define DISTANCE_DEFAULT	8	/* the patent's */
#define DISTANCE_MAX		4096
#define BINDINGS_MAX		4096

const struct nla_policy hpkm_load_policy[HPKM_A_MAX + 1] = {
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

const struct nla_policy hpkm_request_policy[HPKM_A_MAX + 1] = {
	[HPKM_A_PATCH_NAME] = { .type = NLA_NUL_STRING, .len = HPKM_NAME_MAX },
	[HPKM_A_TARGET] = NLA_POLICY_NESTED(target_policy),
	[HPKM_A_ALL] = { .type = NLA_FLAG },
	[HPKM_A_EACH] = { .type = NLA_FLAG },
	[HPKM_A_DRY_RUN] = { .type = NLA_FLAG },
	[HPKM_A_SKIP_HOOKS] = { .type = NLA_FLAG },
	[HPKM_A_CONSISTENCY] = NLA_POLICY_MAX(NLA_U32, HPKM_CONSISTENCY_HEAP),
	[HPKM_A_DISTANCE] = NLA_POLICY_MAX(NLA_U32, DISTANCE_MAX),
	[HPKM_A_WAIT] = NLA_POLICY_FULL_RANGE(NLA_U32, &wait_range),
	[HPKM_A_BINDING] = NLA_POLICY_NESTED(binding_policy),
};

static const struct nla_policy word_policy[HPKM_A_WORD_MAX + 1] = {
	[HPKM_A_WORD_ADDRESS] = { .type = NLA_U64 },
	[HPKM_A_WORD_VALUE] = { .type = NLA_U64 },
};

static const struct nla_policy doubt_policy[HPKM_A_DOUBT_MAX + 1] = {
	[HPKM_A_DOUBT_TID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HPKM_A_DOUBT_SWITCHES] = { .type = NLA_U64 },
	[HPKM_A_DOUBT_SP] = { .type = NLA_U64 },
	[HPKM_A_DOUBT_WORD] = NLA_POLICY_NESTED(word_policy),
};

const struct nla_policy hpkm_answer_policy[HPKM_A_MAX + 1] = {
	[HPKM_A_REQUEST] = { .type = NLA_U32 },
	[HPKM_A_DOUBT] = NLA_POLICY_NESTED(doubt_policy),
};

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

int hpkm_load_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hpkm_patch *patch;
	struct file *file;
	int ret = hpkm_netlink_check(skb, info->extack);

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

	ret = hpkm_netlink_check(skb, info->extack);
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
	request->each = info->attrs[HPKM_A_EACH];
	request->dry_run = info->attrs[HPKM_A_DRY_RUN];
	request->skip_hooks = info->attrs[HPKM_A_SKIP_HOOKS];
	request->consistency = u32_or(info, HPKM_A_CONSISTENCY,
				      HPKM_CONSISTENCY_STACK);
	request->distance = u32_or(info, HPKM_A_DISTANCE, DISTANCE_DEFAULT);
	request->wait_ms = u32_or(info, HPKM_A_WAIT, 0);
	return request;
}

static int queue_request(struct hpkm_request *request, struct genl_info *info)
{
	int ret = hpkm_running_queue(request);

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

int hpkm_apply_doit(struct sk_buff *skb, struct genl_info *info)
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

int hpkm_revert_doit(struct sk_buff *skb, struct genl_info *info)
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

static int parse_word(struct hpkm_stale *stale, struct nlattr *attr,
		      struct genl_info *info)
{
	struct nlattr *tb[HPKM_A_WORD_MAX + 1];
	int ret;

	ret = nla_parse_nested(tb, HPKM_A_WORD_MAX, attr, word_policy,
			       info->extack);
	if (ret)
		return ret;
	if (!tb[HPKM_A_WORD_ADDRESS] || !tb[HPKM_A_WORD_VALUE]) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "a word without address or value");
		return -EINVAL;
	}
	stale->address = nla_get_u64(tb[HPKM_A_WORD_ADDRESS]);
	stale->word = nla_get_u64(tb[HPKM_A_WORD_VALUE]);
	return 0;
}

/* Words on a stack that the client has unwound, and found to be stale. */
int hpkm_answer_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[HPKM_A_DOUBT_MAX + 1], *attr;
	struct hpkm_stale *stale;
	u32 count = 0;
	int rest, ret;

	ret = hpkm_netlink_check(skb, info->extack);
	if (ret)
		return ret;
	if (!info->attrs[HPKM_A_REQUEST])
		return missing(info, "request");
	if (!info->attrs[HPKM_A_DOUBT])
		return missing(info, "doubt");
	ret = nla_parse_nested(tb, HPKM_A_DOUBT_MAX, info->attrs[HPKM_A_DOUBT],
			       doubt_policy, info->extack);
	if (ret)
		return ret;
	if (!tb[HPKM_A_DOUBT_TID] || !tb[HPKM_A_DOUBT_SWITCHES] ||
	    !tb[HPKM_A_DOUBT_SP]) {
		NL_SET_ERR_MSG(info->extack, "a doubt without its thread");
		return -EINVAL;
	}
	stale = kvcalloc(HPKM_HITS_MAX, sizeof(*stale), GFP_KERNEL);
	if (!stale)
		return -ENOMEM;
	nla_for_each_nested(attr, info->attrs[HPKM_A_DOUBT], rest) {
		if (nla_type(attr) != HPKM_A_DOUBT_WORD)
			continue;
		ret = count < HPKM_HITS_MAX ?
			parse_word(&stale[count], attr, info) : -E2BIG;
		if (ret)
			goto out;
		stale[count].tid = nla_get_u32(tb[HPKM_A_DOUBT_TID]);
		stale[count].switches =
			nla_get_u64(tb[HPKM_A_DOUBT_SWITCHES]);
		stale[count].sp = nla_get_u64(tb[HPKM_A_DOUBT_SP]);
		count++;
	}
	ret = hpkm_running_answer(info->snd_portid,
				  nla_get_u32(info->attrs[HPKM_A_REQUEST]),
				  stale, count);
	if (ret == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "no such request is running");
out:
	kvfree(stale);
	return ret;
}
