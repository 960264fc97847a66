// SPDX-License-Identifier: GPL-2.0
/*
 * The conversation with the kernel module (stage 5); the only user of libnl.
 *
 * libnl connects, finds the family, builds messages and walks attributes.
 * Receiving is done here: outcomes of a transition may come before its
 * acknowledgement and with another sequence number, libnl turns errnos into
 * fewer codes of its own, and it says little of what the kernel explains in
 * an extended acknowledgement.
 *
 * A "talk" is one request and what came back; talk_input() takes one datagram
 * and touches no socket, so that tests and fuzzers can drive it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/hpkm.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "extern.h"
#include "nl.h"
#include "request.h"

/* Room for the results of some ten thousand targets. */
#define RECEIVE_BUFFER	(8 << 20)
#define MESSAGE_SIZE	32768
#define TICK_MS		500
/* Past the deadline, when the message of the end may have been lost. */
#define LOST_MS		10000
/* A dump that changed under way is asked for again, so many times. */
#define DUMP_TRIES	10
#define WORDS_SIZE	512
#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

struct talk {
	uint16_t family;
	uint32_t seq;
	const struct nlmsghdr *request;	/* what an error may point into */
	bool answered;		/* acknowledged, refused, or end of a dump */
	bool interrupted;	/* the dump is not of one moment */
	bool done;		/* the end of the transition came */
	bool unloaded;		/* the family has gone */
	int error;		/* 0 or a negative errno */
	char words[WORDS_SIZE];

	/* Where messages go; NULL: they are not expected. */
	struct hpkm_loaded *patch;
	struct hpkm_outcome *outcome;
	struct hpkm_list *patches;
	struct hpkm_list *targets;
	struct hpkm_list *doubts;
	void (*notice)(struct hpkm_notice *notice, void *data);
	void *data;
};

struct hpkm_nl {
	struct nl_sock *socket;
	int fd;			/* of the socket */
	int family;
	void *buffer;
	size_t buffer_size;
	char words[WORDS_SIZE];
};

/* Attributes into structs */

static int parse_attrs(const struct hpkm_record *record, void *data,
		       struct nlattr *attrs, int length);

static char *hex_string(const struct nlattr *attr)
{
	const unsigned char *bytes = nla_data(attr);
	size_t size = nla_len(attr);
	char *text = malloc(2 * size + 1);

	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	text[2 * size] = '\0';
	return text;
}

static int parse_text(const struct hpkm_field *field, char **text,
		      struct nlattr *attr)
{
	free(*text);
	*text = field->kind == HPKM_KIND_BYTES ?
		hex_string(attr) :
		strndup(nla_data(attr), nla_len(attr));
	return *text ? 0 : -ENOMEM;
}

static int parse_list(const struct hpkm_field *field, struct hpkm_list *list,
		      struct nlattr *attr)
{
	void *item = hpkm_list_add(list, field->record);

	if (!item)
		return -ENOMEM;
	return parse_attrs(field->record, item, nla_data(attr), nla_len(attr));
}

static int parse_numbers(struct hpkm_numbers *numbers, struct nlattr *attr)
{
	if (nla_len(attr) % sizeof(uint64_t) ||
	    nla_len(attr) > (int)sizeof(numbers->value))
		return -EBADMSG;
	memcpy(numbers->value, nla_data(attr), nla_len(attr));
	numbers->count = nla_len(attr) / sizeof(uint64_t);
	return 0;
}

static int parse_attr(const struct hpkm_field *field, void *at,
		      struct nlattr *attr)
{
	switch (field->kind) {
	case HPKM_KIND_U32:
	case HPKM_KIND_NAMED:
		if (nla_len(attr) != sizeof(uint32_t))
			return -EBADMSG;
		memcpy(at, nla_data(attr), sizeof(uint32_t));
		return 0;
	case HPKM_KIND_U64:
	case HPKM_KIND_ADDRESS:
		if (nla_len(attr) != sizeof(uint64_t))
			return -EBADMSG;
		memcpy(at, nla_data(attr), sizeof(uint64_t));
		return 0;
	case HPKM_KIND_FLAG:
		*(bool *)at = true;
		return 0;
	case HPKM_KIND_STRING:
	case HPKM_KIND_BYTES:
		return parse_text(field, at, attr);
	case HPKM_KIND_NUMBERS:
		return parse_numbers(at, attr);
	case HPKM_KIND_NEST:
		return parse_attrs(field->record, at, nla_data(attr),
				   nla_len(attr));
	case HPKM_KIND_LIST:
		return parse_list(field, at, attr);
	}
	return -EBADMSG;
}

/* Attributes that the table does not know are a newer kernel's: left out. */
static int parse_attrs(const struct hpkm_record *record, void *data,
		       struct nlattr *attrs, int length)
{
	struct nlattr *attr;
	int rest;

	nla_for_each_attr(attr, attrs, length, rest) {
		for (size_t i = 0; i < record->count; i++) {
			const struct hpkm_field *field = &record->fields[i];
			int error;

			if (!field->attr || field->attr != nla_type(attr))
				continue;
			error = parse_attr(field, hpkm_reply_at(data, field),
					   attr);
			if (error)
				return error;
			*(uint32_t *)data |= 1U << field->attr;
		}
	}
	return 0;
}

/* Messages */

static int take_patch(struct talk *talk, struct nlattr *attrs, int length)
{
	if (!talk->patch)
		return 0;
	return parse_attrs(&hpkm_loaded_record, talk->patch, attrs, length);
}

static int take_patches(struct talk *talk, struct nlattr *attrs, int length)
{
	void *patch;

	if (!talk->patches)
		return 0;
	patch = hpkm_list_add(talk->patches, &hpkm_loaded_record);
	if (!patch)
		return -ENOMEM;
	return parse_attrs(&hpkm_loaded_record, patch, attrs, length);
}

static int take_targets(struct talk *talk, struct nlattr *attrs, int length)
{
	struct hpkm_notice message = { 0 };
	int error;

	if (!talk->targets)
		return 0;
	error = parse_attrs(&hpkm_notice_record, &message, attrs, length);
	if (!error && !hpkm_patched_merge(talk->targets, &message.target))
		error = -ENOMEM;
	hpkm_reply_clear(&hpkm_notice_record, &message);
	return error;
}

static int take_result(struct talk *talk, struct nlattr *attrs, int length)
{
	struct hpkm_notice message = { 0 };
	struct hpkm_target *target;
	int error;

	if (!talk->outcome || talk->done)
		return 0;
	error = parse_attrs(&hpkm_notice_record, &message, attrs, length);
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

static int take_done(struct talk *talk, struct nlattr *attrs, int length)
{
	int error;

	if (!talk->outcome || talk->done)
		return 0;
	error = parse_attrs(&hpkm_outcome_record, talk->outcome, attrs, length);
	if (error)
		return error;
	if (!hpkm_reply_has(talk->outcome->present, HPKM_A_STATUS))
		return -EBADMSG;
	talk->done = true;
	return 0;
}

static int take_doubt(struct talk *talk, struct nlattr *attrs, int length)
{
	struct hpkm_question question = { 0 };
	struct hpkm_doubt *doubt;
	int error;

	if (!talk->doubts || talk->done)
		return 0;
	error = parse_attrs(&hpkm_question_record, &question, attrs, length);
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

static int take_notice(struct talk *talk, struct nlattr *attrs, int length)
{
	struct hpkm_notice message = { 0 };
	int error;

	if (!talk->notice)
		return 0;
	error = parse_attrs(&hpkm_notice_record, &message, attrs, length);
	if (!error)
		talk->notice(&message, talk->data);
	hpkm_reply_clear(&hpkm_notice_record, &message);
	return error;
}

static int (*const takers[])(struct talk *talk, struct nlattr *attrs,
			     int length) = {
	[HPKM_CMD_LOAD]		= take_patch,
	[HPKM_CMD_PATCH_GET]	= take_patches,
	[HPKM_CMD_TARGET_GET]	= take_targets,
	[HPKM_CMD_RESULT]	= take_result,
	[HPKM_CMD_DONE]		= take_done,
	[HPKM_CMD_NOTICE]	= take_notice,
	[HPKM_CMD_DOUBT]	= take_doubt,
};

static int take_message(struct talk *talk, struct nlmsghdr *message)
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
static void take_control(struct talk *talk, struct nlmsghdr *message)
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

/* Errors */

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

static void take_words(struct talk *talk, struct nlattr *attrs, int length)
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
static int take_error(struct talk *talk, struct nlmsghdr *message)
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
static int take_dump_end(struct talk *talk, struct nlmsghdr *message)
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
static int talk_input(struct talk *talk, void *buffer, int length)
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

/* The socket */

static volatile sig_atomic_t signal_caught;

static void on_signal(int number)
{
	signal_caught = number;
}

void hpkm_nl_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;

	/* Blocked but while ppoll() waits: none comes between test and wait. */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Return: 1 there is something to read; 0 time is over; a negative errno. */
static int wait_readable(struct hpkm_nl *nl, int timeout_ms)
{
	struct pollfd poll_fd = {
		.fd = nl->fd,
		.events = POLLIN,
	};
	struct timespec timeout = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000L,
	};
	sigset_t none;
	int n;

	sigprocmask(SIG_SETMASK, NULL, &none);
	sigdelset(&none, SIGINT);
	sigdelset(&none, SIGTERM);
	n = ppoll(&poll_fd, 1, timeout_ms < 0 ? NULL : &timeout, &none);
	if (n < 0)
		return -errno;
	return n;
}

/* Return: 0, or a negative errno; -EAGAIN: there is nothing. */
static int receive(struct hpkm_nl *nl, struct talk *talk)
{
	struct sockaddr_nl from = { 0 };
	socklen_t from_size = sizeof(from);
	ssize_t n;

	n = recv(nl->fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	if ((size_t)n > nl->buffer_size) {
		void *buffer = realloc(nl->buffer, n);

		if (!buffer)
			return -ENOMEM;
		nl->buffer = buffer;
		nl->buffer_size = n;
	}
	n = recvfrom(nl->fd, nl->buffer, nl->buffer_size, MSG_DONTWAIT,
		     (struct sockaddr *)&from, &from_size);
	if (n < 0)
		return -errno;
	/* Processes can write to this socket too; the kernel is port 0. */
	if (from.nl_pid)
		return 0;
	return talk_input(talk, nl->buffer, n);
}

static void keep_words(struct hpkm_nl *nl, const struct talk *talk)
{
	memcpy(nl->words, talk->words, sizeof(nl->words));
}

/* Until the request is answered. */
static int receive_answer(struct hpkm_nl *nl, struct talk *talk)
{
	int error = 0;

	while (!error && !talk->answered) {
		error = wait_readable(nl, -1);
		/* An answer comes at once: it is waited for, signals or not. */
		if (error == -EINTR) {
			error = 0;
			continue;
		}
		if (error > 0)
			error = receive(nl, talk);
		if (error == -EAGAIN)
			error = 0;
	}
	if (!error)
		error = talk->error;
	keep_words(nl, talk);
	return error;
}

static int send_request(struct hpkm_nl *nl, struct talk *talk,
			struct nl_msg *message)
{
	struct nlmsghdr *header = nlmsg_hdr(message);

	nl->words[0] = '\0';
	nl_complete_msg(nl->socket, message);
	talk->family = nl->family;
	talk->seq = header->nlmsg_seq;
	talk->request = header;
	if (send(nl->fd, header, header->nlmsg_len, 0) < 0)
		return -errno;
	return 0;
}

static struct nl_msg *new_request(struct hpkm_nl *nl, int command, int flags,
				  size_t size)
{
	struct nl_msg *message = nlmsg_alloc_size(size);

	if (!message)
		return NULL;
	if (genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
			flags | NLM_F_REQUEST | NLM_F_ACK, command,
			HPKM_FAMILY_VERSION))
		return message;
	nlmsg_free(message);
	return NULL;
}

int hpkm_nl_open(struct hpkm_nl **result)
{
	int one = 1, size = RECEIVE_BUFFER;
	struct hpkm_nl *nl = calloc(1, sizeof(*nl));
	int error = -ENOMEM;

	*result = NULL;
	if (!nl)
		return error;
	nl->buffer_size = MESSAGE_SIZE;
	nl->buffer = malloc(nl->buffer_size);
	nl->socket = nl_socket_alloc();
	if (!nl->buffer || !nl->socket)
		goto fail;
	errno = 0;
	if (genl_connect(nl->socket)) {
		error = errno ? -errno : -EPROTONOSUPPORT;
		goto fail;
	}
	nl->family = genl_ctrl_resolve(nl->socket, HPKM_FAMILY_NAME);
	if (nl->family < 0) {
		error = nl->family == -NLE_OBJ_NOTFOUND ? -ENOENT : -EIO;
		goto fail;
	}
	nl->fd = nl_socket_get_fd(nl->socket);
	/* Answers that are received here are not counted by libnl. */
	nl_socket_disable_seq_check(nl->socket);
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	/* Both may pass the limits of net.core, and need CAP_NET_ADMIN. */
	setsockopt(nl->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		nl_socket_set_buffer_size(nl->socket, size, 0);
	*result = nl;
	return 0;
fail:
	hpkm_nl_close(nl);
	return error;
}

void hpkm_nl_close(struct hpkm_nl *nl)
{
	if (!nl)
		return;
	nl_socket_free(nl->socket);
	free(nl->buffer);
	free(nl);
}

const char *hpkm_nl_words(const struct hpkm_nl *nl)
{
	return nl ? nl->words : "";
}

/* Requests */

int hpkm_nl_load(struct hpkm_nl *nl, int fd, uint64_t offset, uint64_t size,
		 struct hpkm_loaded *patch)
{
	struct talk talk = { .patch = patch };
	struct nl_msg *message;
	int error = -ENOMEM;

	message = new_request(nl, HPKM_CMD_LOAD, 0, 256);
	if (!message)
		return error;
	if (nla_put_u32(message, HPKM_A_FD, fd) ||
	    nla_put_u64(message, HPKM_A_OFFSET, offset) ||
	    nla_put_u64(message, HPKM_A_SIZE, size))
		goto out;
	error = send_request(nl, &talk, message);
	if (!error)
		error = receive_answer(nl, &talk);
	if (!error && !hpkm_reply_has(patch->present, HPKM_A_PATCH_NAME))
		error = -EBADMSG;
out:
	nlmsg_free(message);
	return error;
}

static int put_targets(struct nl_msg *message,
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

static int put_options(struct nl_msg *message,
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

static size_t bindings_size(const struct hpkm_bindings *bindings)
{
	size_t size = 0;

	/* The nest of an object takes up to 96 bytes, that of an extern 28. */
	for (size_t i = 0; bindings && i < bindings->count; i++)
		size += (bindings->list[i].bound_count / BOUND_MAX + 1) * 128 +
			bindings->list[i].bound_count * 32;
	return size;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* What lies in the socket already.  Return: 0, or a negative errno. */
static int drain(struct hpkm_nl *nl, struct talk *talk)
{
	int error;

	do
		error = receive(nl, talk);
	while (!error || error == -ENOBUFS);
	return error == -EAGAIN ? 0 : error;
}

static bool transition_over(const struct talk *talk)
{
	return talk->answered && (talk->error || talk->done);
}

static int put_answer(struct nl_msg *message, const struct talk *talk,
		      const struct hpkm_doubt *doubt)
{
	const struct hpkm_word *words = doubt->words.items;
	struct nlattr *nest, *word;

	if (nla_put_u32(message, HPKM_A_REQUEST, talk->seq))
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

static bool any_stale(const struct hpkm_doubt *doubt)
{
	const struct hpkm_word *words = doubt->words.items;

	for (size_t i = 0; i < doubt->words.count; i++)
		if (words[i].stale)
			return true;
	return false;
}

/*
 * What becomes of an answer is of no interest: the request may have ended.
 * Its acknowledgement bears a number of its own and is passed over.
 */
static void send_answer(struct hpkm_nl *nl, const struct talk *talk,
			const struct hpkm_doubt *doubt)
{
	struct nl_msg *message;

	message = new_request(nl, HPKM_CMD_ANSWER, 0,
			      512 + 64 * doubt->words.count);
	if (!message)
		return;
	nl_complete_msg(nl->socket, message);
	if (!put_answer(message, talk, doubt))
		send(nl->fd, nlmsg_hdr(message), nlmsg_hdr(message)->nlmsg_len,
		     0);
	nlmsg_free(message);
}

static void settle(struct hpkm_nl *nl, struct talk *talk,
		   const struct hpkm_nl_calls *calls)
{
	const struct hpkm_doubt *doubts = talk->doubts->items;

	calls->settle(talk->doubts, calls->data);
	for (size_t i = 0; i < talk->doubts->count; i++)
		if (any_stale(&doubts[i]))
			send_answer(nl, talk, &doubts[i]);
	hpkm_list_clear(talk->doubts, &hpkm_doubt_record);
}

/*
 * Until the request is refused, or is both acknowledged and done, in any
 * order.
 */
static int collect(struct hpkm_nl *nl, struct talk *talk, uint32_t wait_ms,
		   const struct hpkm_nl_calls *calls)
{
	int64_t give_up = 0;
	int error = 0;

	while (!transition_over(talk)) {
		/* Questions are settled when no more of them come. */
		int timeout = talk->doubts->count ? 0 : TICK_MS;

		error = signal_caught ? -EINTR : wait_readable(nl, timeout);
		if (error == -EINTR) {
			/* It may be done, and only not read yet. */
			error = drain(nl, talk);
			if (error || transition_over(talk))
				break;
			return -EINTR;
		}
		if (error > 0)
			error = receive(nl, talk);
		else if (!error && !timeout)
			settle(nl, talk, calls);
		else if (!error)
			calls->tick(calls->data);
		if (error == -ENOBUFS && !give_up)
			give_up = now_ms() + wait_ms + LOST_MS;
		if (error && error != -EAGAIN && error != -ENOBUFS)
			break;
		error = 0;
		if (give_up && now_ms() > give_up)
			return -ENOBUFS;
	}
	return error ? error : talk->error;
}

int hpkm_nl_transition(struct hpkm_nl *nl, enum hpkm_transition which,
		       const char *patch, const struct hpkm_request *request,
		       struct hpkm_outcome *outcome,
		       const struct hpkm_nl_calls *calls)
{
	static const int commands[] = {
		[HPKM_TRANSITION_APPLY]	= HPKM_CMD_APPLY,
		[HPKM_TRANSITION_REVERT] = HPKM_CMD_REVERT,
	};
	/* The nest of one target takes 28 bytes. */
	size_t size = 512 + strlen(patch) + 32 * request->pids_count +
		bindings_size(request->bindings);
	struct hpkm_list doubts = { 0 };
	struct talk talk = { .outcome = outcome, .doubts = &doubts };
	struct nl_msg *message;
	int error = -ENOMEM;

	if (signal_caught)
		return -EINTR;
	message = new_request(nl, commands[which], 0, size);
	if (!message)
		return error;
	if (nla_put_string(message, HPKM_A_PATCH_NAME, patch) ||
	    put_options(message, request) || put_targets(message, request))
		goto out;
	error = send_request(nl, &talk, message);
	if (!error)
		error = collect(nl, &talk, request->wait_ms, calls);
	keep_words(nl, &talk);
out:
	hpkm_list_clear(&doubts, &hpkm_doubt_record);
	nlmsg_free(message);
	return error;
}

static int dump_once(struct hpkm_nl *nl, int command, struct talk *talk)
{
	struct nl_msg *message = new_request(nl, command, NLM_F_DUMP, 256);
	int error;

	if (!message)
		return -ENOMEM;
	error = send_request(nl, talk, message);
	if (!error)
		error = receive_answer(nl, talk);
	nlmsg_free(message);
	return error;
}

int hpkm_nl_patches(struct hpkm_nl *nl, struct hpkm_list *patches)
{
	int error = 0;

	for (int i = 0; i < DUMP_TRIES; i++) {
		struct talk talk = { .patches = patches };

		hpkm_list_clear(patches, &hpkm_loaded_record);
		error = dump_once(nl, HPKM_CMD_PATCH_GET, &talk);
		if (error || !talk.interrupted)
			return error;
	}
	return -EAGAIN;
}

int hpkm_nl_targets(struct hpkm_nl *nl, struct hpkm_list *targets)
{
	int error = 0;

	for (int i = 0; i < DUMP_TRIES; i++) {
		struct talk talk = { .targets = targets };

		hpkm_list_clear(targets, &hpkm_patched_record);
		error = dump_once(nl, HPKM_CMD_TARGET_GET, &talk);
		if (error || !talk.interrupted) {
			hpkm_patched_sort(targets);
			return error;
		}
	}
	return -EAGAIN;
}

static int join_group(struct hpkm_nl *nl, const char *family,
		      const char *name)
{
	int group = genl_ctrl_resolve_grp(nl->socket, family, name);

	if (group < 0)
		return -ENOENT;
	/* Not by libnl, which makes EPERM of EACCES and so on. */
	if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		       sizeof(group)))
		return -errno;
	return 0;
}

int hpkm_nl_join(struct hpkm_nl *nl)
{
	/* Without this one it is not seen that the module was unloaded. */
	int error = join_group(nl, "nlctrl", "notify");

	return error ? error :
	       join_group(nl, HPKM_FAMILY_NAME, HPKM_MCGRP_EVENTS);
}

int hpkm_nl_follow(struct hpkm_nl *nl,
		   void (*notice)(struct hpkm_notice *notice, void *data),
		   void (*lost)(void *data), void *data)
{
	struct talk talk = {
		.family = nl->family,
		.notice = notice,
		.data = data,
	};

	while (!talk.unloaded) {
		int error = signal_caught ? -EINTR : wait_readable(nl, -1);

		if (error > 0)
			error = receive(nl, &talk);
		if (error == -ENOBUFS)
			lost(data);
		else if (error && error != -EAGAIN)
			return error;
	}
	return -ENODEV;
}
