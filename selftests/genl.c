// SPDX-License-Identifier: GPL-2.0
/* Generic netlink without a library. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "genl.h"
#include "patience.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK	270
#endif

static char buffer[65536] __attribute__((aligned(8)));

void message_begin(struct message *message, int command)
{
	memset(message, 0, sizeof(*message));
	message->header.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	message->genl.cmd = command;
	message->genl.version = HPKM_FAMILY_VERSION;
}

void *message_put(struct message *message, int type, const void *data,
		  size_t size)
{
	struct nlattr *attr = (void *)((char *)message +
				       message->header.nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + size;
	if (size)
		memcpy((char *)attr + NLA_HDRLEN, data, size);
	message->header.nlmsg_len += NLA_ALIGN(attr->nla_len);
	return attr;
}

void message_u32(struct message *message, int type, uint32_t value)
{
	message_put(message, type, &value, sizeof(value));
}

void message_u64(struct message *message, int type, uint64_t value)
{
	message_put(message, type, &value, sizeof(value));
}

void message_text(struct message *message, int type, const char *text)
{
	message_put(message, type, text, strlen(text) + 1);
}

void message_target(struct message *message, uint32_t pid, uint64_t start)
{
	struct message nest;

	message_begin(&nest, 0);
	message_u32(&nest, HPKM_A_TARGET_PID, pid);
	if (start)
		message_u64(&nest, HPKM_A_TARGET_START_TIME, start);
	message_put(message, HPKM_A_TARGET | NLA_F_NESTED, nest.attrs,
		    nest.header.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
}

/* Attribute of @type in [attrs, attrs + size), or NULL. */
static struct nlattr *find(char *attrs, int size, int type)
{
	while (size >= NLA_HDRLEN) {
		struct nlattr *attr = (void *)attrs;
		int step = NLA_ALIGN(attr->nla_len);

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > size)
			break;
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		attrs += step;
		size -= step;
	}
	return NULL;
}

static struct nlmsghdr *receive(struct genl *genl)
{
	struct pollfd poll_fd = { .fd = genl->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&poll_fd, 1, patience() * 1000) != 1)
		return NULL;
	n = recv(genl->fd, buffer, sizeof(buffer), 0);
	return n < (ssize_t)sizeof(struct nlmsghdr) ? NULL : (void *)buffer;
}

static void keep_words(struct genl *genl, struct nlmsghdr *header)
{
	struct nlmsgerr *error = NLMSG_DATA(header);
	char *attrs = (char *)(error + 1);
	struct nlattr *attr;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		attrs += NLMSG_ALIGN(error->msg.nlmsg_len) -
			 sizeof(error->msg);
	attr = find(attrs, (char *)header + header->nlmsg_len - attrs,
		    NLMSGERR_ATTR_MSG);
	if (attr)
		snprintf(genl->words, sizeof(genl->words), "%s",
			 (char *)attr + NLA_HDRLEN);
}

/* The value of an attribute of @type, or 0. */
static uint64_t number(char *attrs, int size, int type)
{
	struct nlattr *attr = find(attrs, size, type);
	uint64_t value = 0;

	if (attr && attr->nla_len <= NLA_HDRLEN + sizeof(value))
		memcpy(&value, (char *)attr + NLA_HDRLEN,
		       attr->nla_len - NLA_HDRLEN);
	return value;
}

/* Of one target: its status, and why. */
static void keep_result(struct genl *genl, char *attrs, int size)
{
	struct nlattr *attr = find(attrs, size, HPKM_A_TARGET_STATUS);

	if (attr)
		genl->target = *(int *)((char *)attr + NLA_HDRLEN);
	attr = find(attrs, size, HPKM_A_TARGET_ERROR);
	if (attr)
		snprintf(genl->words, sizeof(genl->words), "%s",
			 (char *)attr + NLA_HDRLEN);
}

/* Results may come before the acknowledgement of what they are results of. */
static void keep_outcome(struct genl *genl, struct nlmsghdr *header)
{
	struct genlmsghdr *message = NLMSG_DATA(header);
	char *attrs = (char *)message + GENL_HDRLEN;
	int size = header->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
	struct nlattr *attr;

	if (message->cmd == HPKM_CMD_RESULT && genl->target < 0) {
		attr = find(attrs, size, HPKM_A_TARGET);
		if (attr)
			keep_result(genl, (char *)attr + NLA_HDRLEN,
				    attr->nla_len - NLA_HDRLEN);
	}
	if (message->cmd == HPKM_CMD_DONE) {
		attr = find(attrs, size, HPKM_A_STATUS);
		genl->outcome = attr ? *(int *)((char *)attr + NLA_HDRLEN) : -1;
		genl->pause_ns = number(attrs, size, HPKM_A_PAUSE_NS);
		genl->scanned = number(attrs, size, HPKM_A_WORDS);
		genl->attempts = number(attrs, size, HPKM_A_ATTEMPTS);
		genl->targets = number(attrs, size, HPKM_A_TARGETS);
		genl->done = true;
	}
}

static uint64_t nested_number(struct nlattr *nest, int type)
{
	return number((char *)nest + NLA_HDRLEN, nest->nla_len - NLA_HDRLEN,
		      type);
}

static bool keep_doubt(struct doubt *doubt, struct nlmsghdr *header)
{
	struct genlmsghdr *message = NLMSG_DATA(header);
	struct nlattr *nest, *word;

	nest = find((char *)message + GENL_HDRLEN,
		    header->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN,
		    HPKM_A_DOUBT);
	if (message->cmd != HPKM_CMD_DOUBT || !nest)
		return false;
	word = find((char *)nest + NLA_HDRLEN, nest->nla_len - NLA_HDRLEN,
		    HPKM_A_DOUBT_WORD);
	if (!word)
		return false;
	*doubt = (struct doubt){
		.pid = nested_number(nest, HPKM_A_DOUBT_PID),
		.tid = nested_number(nest, HPKM_A_DOUBT_TID),
		.switches = nested_number(nest, HPKM_A_DOUBT_SWITCHES),
		.sp = nested_number(nest, HPKM_A_DOUBT_SP),
		.address = nested_number(word, HPKM_A_WORD_ADDRESS),
		.value = nested_number(word, HPKM_A_WORD_VALUE),
	};
	return true;
}

int genl_ask(struct genl *genl, struct message *message, int flags)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr *header;

	genl->words[0] = 0;
	genl->replies = 0;
	genl->done = false;
	genl->target = -1;
	message->header.nlmsg_seq = ++genl->seq;
	if (!message->header.nlmsg_type)
		message->header.nlmsg_type = genl->family;
	message->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	if (sendto(genl->fd, message, message->header.nlmsg_len, 0,
		   (void *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	/* Replies may come in several parts; the error or the end is last. */
	while ((header = receive(genl))) {
		if (header->nlmsg_type == genl->family) {
			keep_outcome(genl, header);
			genl->doubted |= keep_doubt(&genl->doubt, header);
		}
		if (header->nlmsg_seq != genl->seq)
			continue;
		genl->replies += header->nlmsg_type == genl->family;
		if (header->nlmsg_type == NLMSG_ERROR) {
			keep_words(genl, header);
			return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
		}
		if (header->nlmsg_type == NLMSG_DONE)
			return *(int *)NLMSG_DATA(header);
	}
	return -ETIME;
}

int genl_outcome(struct genl *genl, int *target)
{
	struct nlmsghdr *header;

	while (!genl->done && (header = receive(genl)))
		if (header->nlmsg_type == genl->family)
			keep_outcome(genl, header);
	*target = genl->target;
	genl->doubted = false;
	return genl->done ? genl->outcome : -1;
}

bool genl_doubt(struct genl *genl, struct doubt *doubt)
{
	struct nlmsghdr *header;

	if (genl->doubted) {
		genl->doubted = false;
		*doubt = genl->doubt;
		return true;
	}
	while (!genl->done && (header = receive(genl))) {
		if (header->nlmsg_type != genl->family)
			continue;
		if (keep_doubt(doubt, header))
			return true;
		keep_outcome(genl, header);
	}
	return false;
}

static int resolve(struct genl *genl)
{
	struct nlmsghdr *header = (void *)buffer;
	struct message message;
	struct nlattr *attr;
	int ret;

	message_begin(&message, CTRL_CMD_GETFAMILY);
	message.header.nlmsg_type = GENL_ID_CTRL;
	message_text(&message, CTRL_ATTR_FAMILY_NAME, HPKM_FAMILY_NAME);
	message.header.nlmsg_seq = ++genl->seq;
	message.header.nlmsg_flags = NLM_F_REQUEST;
	ret = send(genl->fd, &message, message.header.nlmsg_len, 0);
	if (ret < 0 || !receive(genl) || header->nlmsg_type == NLMSG_ERROR)
		return -1;
	attr = find(buffer + NLMSG_HDRLEN + GENL_HDRLEN,
		    header->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN,
		    CTRL_ATTR_FAMILY_ID);
	if (!attr)
		return -1;
	genl->family = *(uint16_t *)((char *)attr + NLA_HDRLEN);
	return 0;
}

bool genl_open(struct genl *genl)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int one = 1;

	memset(genl, 0, sizeof(*genl));
	genl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (genl->fd < 0 || bind(genl->fd, (void *)&self, sizeof(self)))
		return false;
	setsockopt(genl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(genl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return !resolve(genl);
}

void genl_close(struct genl *genl)
{
	close(genl->fd);
}

int genl_load_fd(struct genl *genl, int fd, uint64_t offset, uint64_t size)
{
	struct message message;

	message_begin(&message, HPKM_CMD_LOAD);
	message_u32(&message, HPKM_A_FD, fd);
	message_u64(&message, HPKM_A_OFFSET, offset);
	message_u64(&message, HPKM_A_SIZE, size);
	return genl_ask(genl, &message, 0);
}

int genl_load(struct genl *genl, const void *image, size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	int ret;

	if (fd < 0 || write(fd, image, size) != (ssize_t)size) {
		perror("memfd");
		exit(1);
	}
	ret = genl_load_fd(genl, fd, 0, size);
	close(fd);
	return ret;
}

void *read_whole(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	*size = st.st_size;
	/* Room for what a test appends. */
	data = calloc(1, *size + 65536);
	if (!data || read(fd, data, *size) != st.st_size)
		return NULL;
	close(fd);
	return data;
}

const char *built_path(const char *file)
{
	static char path[8192];
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n < 0 ? 0 : n] = 0;
	snprintf(path, sizeof(path), "%s/%s", dirname(self), file);
	return path;
}
