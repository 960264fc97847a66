// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 5: a talk is one request and what came back.
 *
 * Outcomes of a transition may come before its acknowledgement and with
 * another sequence number; the kernel explains an error in an extended
 * acknowledgement.  No socket is touched here, so that tests and fuzzers can
 * drive it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/hpkm.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "attrs.h"
#include "talk.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

static int take_patch(struct hpkm_talk *talk, struct nlattr *attrs, int length)
{
	if (!talk->patch)
		return 0;
	return hpkm_attrs_parse(&hpkm_loaded_record, talk->patch, attrs,
				length);
}

static int take_patches(struct hpkm_talk *talk, struct nlattr *attrs,
			int length)
{
	void *patch;

	if (!talk->patches)
		return 0;
	patch = hpkm_list_add(talk->patches, &hpkm_loaded_record);
	if (!patch)
		return -ENOMEM;
	return hpkm_attrs_parse(&hpkm_loaded_record, patch, attrs, length);
}

static int take_targets(struct hpkm_talk *talk, struct nlattr *attrs,
			int length)
{
	struct hpkm_notice message = { 0 };
	int error;

	if (!talk->targets)
		return 0;
	error = hpkm_attrs_parse(&hpkm_notice_record, &message, attrs, length);
	if (!error && !hpkm_patched_merge(talk->targets, &message.target))
		error = -ENOMEM;
	hpkm_reply_clear(&hpkm_notice_record, &message);
	return error;
}

static int take_result(struct hpkm_talk *talk, struct nlattr *attrs, int length)
{
	struct hpkm_notice message = { 0 };
	struct hpkm_target *target;
	int error;

	if (!talk->outcome || talk->done)
		return 0;
	error = hpkm_attrs_parse(&hpkm_notice_record, &message, attrs, length);
	if (error)
		goto out;
	error = -EBADMSG;
	if (!hpkm_reply_has(message.target.present, HPKM_A_TARGET_PID) ||
	    !hpkm_reply_has(message.target.present, HPKM_A_TARGET_STATUS))
		goto out;
	error = -ENOMEM;
	target = hpkm_list_add(&talk->outcome->targets, &hpkm_target_record);
	if (!target)
		goto out;
	*target = message.target;
	message.target = (struct hpkm_target){ 0 };
	error = 0;
out:
	hpkm_reply_clear(&hpkm_notice_record, &message);
	return error;
}

static int take_done(struct hpkm_talk *talk, struct nlattr *attrs, int length)
{
	int error;

	if (!talk->outcome || talk->done)
		return 0;
	error = hpkm_attrs_parse(&hpkm_outcome_record, talk->outcome, attrs,
				 length);
	if (error)
		return error;
	if (!hpkm_reply_has(talk->outcome->present, HPKM_A_STATUS))
		return -EBADMSG;
	talk->done = true;
	return 0;
}

static int take_doubt(struct hpkm_talk *talk, struct nlattr *attrs, int length)
{
	struct hpkm_question question = { 0 };
	struct hpkm_doubt *doubt;
	int error;

	if (!talk->doubts || talk->done)
		return 0;
	error = hpkm_attrs_parse(&hpkm_question_record, &question, attrs,
				 length);
	if (error || question.request != talk->seq)
		goto out;
	error = -ENOMEM;
	doubt = hpkm_list_add(talk->doubts, &hpkm_doubt_record);
	if (!doubt)
		goto out;
	*doubt = question.doubt;
	question.doubt = (struct hpkm_doubt){ 0 };
	error = 0;
out:
	hpkm_reply_clear(&hpkm_question_record, &question);
	return error;
}

static int take_notice(struct hpkm_talk *talk, struct nlattr *attrs, int length)
{
	struct hpkm_notice message = { 0 };
	int error;

	if (!talk->notice)
		return 0;
	error = hpkm_attrs_parse(&hpkm_notice_record, &message, attrs, length);
	if (!error)
		talk->notice(&message, talk->data);
	hpkm_reply_clear(&hpkm_notice_record, &message);
	return error;
}

static int (*const takers[])(struct hpkm_talk *talk, struct nlattr *attrs,
			     int length) = {
	[HPKM_CMD_LOAD]		= take_patch,
	[HPKM_CMD_PATCH_GET]	= take_patches,
	[HPKM_CMD_TARGET_GET]	= take_targets,
	[HPKM_CMD_RESULT]	= take_result,
	[HPKM_CMD_DONE]		= take_done,
	[HPKM_CMD_NOTICE]	= take_notice,
	[HPKM_CMD_DOUBT]	= take_doubt,
};

static int take_message(struct hpkm_talk *talk, struct nlmsghdr *message)
{
	struct genlmsghdr *header = nlmsg_data(message);

	if (nlmsg_datalen(message) < (int)GENL_HDRLEN)
		return -EBADMSG;
	if (header->cmd >= COUNT(takers) || !takers[header->cmd])
		return 0;
	return takers[header->cmd](talk, genlmsg_attrdata(header, 0),
				   genlmsg_attrlen(header, 0));
}

/* Only the controller's word that our family has gone is of interest. */
static void take_control(struct hpkm_talk *talk, struct nlmsghdr *message)
{
	struct genlmsghdr *header = nlmsg_data(message);
	struct nlattr *attr;

	if (nlmsg_datalen(message) < (int)GENL_HDRLEN ||
	    header->cmd != CTRL_CMD_DELFAMILY)
		return;
	attr = nla_find(genlmsg_attrdata(header, 0),
			genlmsg_attrlen(header, 0), CTRL_ATTR_FAMILY_ID);
	if (attr && nla_len(attr) >= (int)sizeof(uint16_t) &&
	    nla_get_u16(attr) == talk->family)
		talk->unloaded = true;
}

/* The names under which the specification knows what requests hold. */
static const char *const attr_names[] = {
	[HPKM_A_PATCH_NAME]	= "patch-name",
	[HPKM_A_FD]		= "fd",
	[HPKM_A_OFFSET]		= "offset",
	[HPKM_A_SIZE]		= "size",
	[HPKM_A_TARGET]		= "target",
	[HPKM_A_ALL]		= "all",
	[HPKM_A_DRY_RUN]	= "dry-run",
	[HPKM_A_CONSISTENCY]	= "consistency",
	[HPKM_A_DISTANCE]	= "distance",
	[HPKM_A_WAIT]		= "wait",
	[HPKM_A_BINDING]	= "binding",
	[HPKM_A_SKIP_HOOKS]	= "skip-hooks",
	[HPKM_A_EACH]		= "each",
};

static const char *attr_name(unsigned int type)
{
	return type < COUNT(attr_names) ? attr_names[type] : NULL;
}

/* The top attribute of the request that has the byte at "offset". */
static const struct nlattr *attr_at(const struct nlmsghdr *request,
				    uint32_t offset)
{
	uint32_t at = NLMSG_HDRLEN + GENL_HDRLEN;

	while (at + sizeof(struct nlattr) <= request->nlmsg_len) {
		const struct nlattr *attr = (void *)((char *)request + at);

		if (attr->nla_len < sizeof(*attr) ||
		    attr->nla_len > request->nlmsg_len - at)
			return NULL;
		if (offset >= at && offset < at + attr->nla_len)
			return attr;
		at += NLA_ALIGN(attr->nla_len);
	}
	return NULL;
}

/* "pid 12" says more than the name of the attribute that holds it. */
static void describe_attr(const struct nlattr *attr, char *text, size_t size)
{
	const struct nlattr *pid;

	*text = '\0';
	if (!attr || !attr_name(nla_type(attr)))
		return;
	if (nla_type(attr) == HPKM_A_TARGET) {
		pid = nla_find(nla_data(attr), nla_len(attr),
			       HPKM_A_TARGET_PID);
		if (pid && nla_len(pid) == sizeof(uint32_t)) {
			snprintf(text, size, " (pid %u)", nla_get_u32(pid));
			return;
		}
	}
	snprintf(text, size, " (attribute %s)", attr_name(nla_type(attr)));
}

static void take_words(struct hpkm_talk *talk, struct nlattr *attrs, int length)
{
	struct nlattr *message = nla_find(attrs, length, NLMSGERR_ATTR_MSG);
	struct nlattr *offset = nla_find(attrs, length, NLMSGERR_ATTR_OFFS);
	struct nlattr *missing = nla_find(attrs, length,
					  NLMSGERR_ATTR_MISS_TYPE);
	const char *name = NULL;
	char where[80] = "";

	if (offset && nla_len(offset) == sizeof(uint32_t) && talk->request)
		describe_attr(attr_at(talk->request, nla_get_u32(offset)),
			      where, sizeof(where));
	if (missing && nla_len(missing) == sizeof(uint32_t))
		name = attr_name(nla_get_u32(missing));
	if (name)
		snprintf(where, sizeof(where), " (attribute %s is missing)",
			 name);
	if (message)
		snprintf(talk->words, sizeof(talk->words), "%.*s%s",
			 (int)strnlen(nla_data(message), nla_len(message)),
			 (char *)nla_data(message), where);
	else if (*where)
		/* Without " (" and ")". */
		snprintf(talk->words, sizeof(talk->words), "%.*s",
			 (int)strlen(where) - 3, where + 2);
}

/*
 * An acknowledgement or an error.  The request is repeated in it, all of it
 * unless the reply is capped, and the explaining attributes come after that.
 */
static int take_error(struct hpkm_talk *talk, struct nlmsghdr *message)
{
	const struct nlmsgerr *error = nlmsg_data(message);
	int length = nlmsg_datalen(message);
	uint32_t skip = sizeof(*error);

	if (length < (int)sizeof(*error))
		return -EBADMSG;
	talk->answered = true;
	talk->error = error->error > 0 ? -EBADMSG : error->error;
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return 0;
	if (!(message->nlmsg_flags & NLM_F_CAPPED)) {
		if (error->msg.nlmsg_len < sizeof(error->msg) ||
		    error->msg.nlmsg_len > (uint32_t)length)
			return -EBADMSG;
		skip += NLMSG_ALIGN(error->msg.nlmsg_len) - sizeof(error->msg);
	}
	if (skip <= (uint32_t)length)
		take_words(talk, (void *)((char *)error + skip), length - skip);
	return 0;
}

/* The end of a dump carries an errno, and can carry words as well. */
static int take_dump_end(struct hpkm_talk *talk, struct nlmsghdr *message)
{
	int length = nlmsg_datalen(message);
	int error;

	talk->answered = true;
	if (length < (int)sizeof(error))
		return 0;
	memcpy(&error, nlmsg_data(message), sizeof(error));
	talk->error = error > 0 ? 0 : error;
	if (message->nlmsg_flags & NLM_F_ACK_TLVS)
		take_words(talk, (void *)((char *)nlmsg_data(message) +
					  NLMSG_ALIGN(sizeof(error))),
			   length - (int)NLMSG_ALIGN(sizeof(error)));
	return 0;
}

/*
 * One datagram.  Return: 0; or a negative errno when it is not one that this
 * protocol allows.
 */
int hpkm_talk_input(struct hpkm_talk *talk, void *buffer, int length)
{
	struct nlmsghdr *message = buffer;
	int error = 0;

	for (; !error && nlmsg_ok(message, length);
	     message = nlmsg_next(message, &length)) {
		bool ours = message->nlmsg_seq == talk->seq;

		if (message->nlmsg_type == GENL_ID_CTRL)
			take_control(talk, message);
		/* Outcomes and notices are nobody's answer: number 0. */
		else if (message->nlmsg_type == talk->family &&
			 (ours || !message->nlmsg_seq))
			error = take_message(talk, message);
		else if (message->nlmsg_type == NLMSG_ERROR && ours)
			error = take_error(talk, message);
		else if (message->nlmsg_type == NLMSG_DONE && ours)
			error = take_dump_end(talk, message);
		if (ours && message->nlmsg_flags & NLM_F_DUMP_INTR)
			talk->interrupted = true;
	}
	return error;
}

bool hpkm_talk_over(const struct hpkm_talk *talk)
{
	return talk->answered && (talk->error || talk->done);
}
