// SPDX-License-Identifier: GPL-2.0
/*
 * The conversation with the kernel module (stage 5): the socket, and requests
 * that are sent through it.
 *
 * libnl connects, finds the family, builds messages (ask.c) and walks
 * attributes (attrs.c).  Receiving is done here: libnl turns errnos into
 * fewer codes of its own, and what comes is taken apart by talk.c.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
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

#include "ask.h"
#include "nl.h"
#include "request.h"
#include "talk.h"

/* Room for the results of some ten thousand targets. */
#define RECEIVE_BUFFER	(8 << 20)
#define MESSAGE_SIZE	32768
#define TICK_MS		500
/* Past the deadline, when the message of the end may have been lost. */
#define LOST_MS		10000
/* A dump that changed under way is asked for again, so many times. */
#define DUMP_TRIES	10

struct hpkm_nl {
	struct nl_sock *socket;
	int fd;			/* of the socket */
	int family;
	void *buffer;
	size_t buffer_size;
	char words[HPKM_TALK_WORDS];
};

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
static int receive(struct hpkm_nl *nl, struct hpkm_talk *talk)
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
	return hpkm_talk_input(talk, nl->buffer, n);
}

static void keep_words(struct hpkm_nl *nl, const struct hpkm_talk *talk)
{
	memcpy(nl->words, talk->words, sizeof(nl->words));
}

/* Until the request is answered. */
static int receive_answer(struct hpkm_nl *nl, struct hpkm_talk *talk)
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

static int send_request(struct hpkm_nl *nl, struct hpkm_talk *talk,
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
		error = nl->family != -NLE_OBJ_NOTFOUND ? -EIO :
			access("/sys/module/hpkm", F_OK) ? -ENOENT : -ENONET;
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

int hpkm_nl_load(struct hpkm_nl *nl, int fd, uint64_t offset, uint64_t size,
		 struct hpkm_loaded *patch)
{
	struct hpkm_talk talk = { .patch = patch };
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

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* What lies in the socket already.  Return: 0, or a negative errno. */
static int drain(struct hpkm_nl *nl, struct hpkm_talk *talk)
{
	int error;

	do
		error = receive(nl, talk);
	while (!error || error == -ENOBUFS);
	return error == -EAGAIN ? 0 : error;
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
static void send_answer(struct hpkm_nl *nl, const struct hpkm_talk *talk,
			const struct hpkm_doubt *doubt)
{
	struct nl_msg *message;

	message = new_request(nl, HPKM_CMD_ANSWER, 0,
			      512 + 64 * doubt->words.count);
	if (!message)
		return;
	nl_complete_msg(nl->socket, message);
	if (!hpkm_ask_answer(message, talk->seq, doubt))
		send(nl->fd, nlmsg_hdr(message), nlmsg_hdr(message)->nlmsg_len,
		     0);
	nlmsg_free(message);
}

static void settle(struct hpkm_nl *nl, struct hpkm_talk *talk,
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
static int collect(struct hpkm_nl *nl, struct hpkm_talk *talk, uint32_t wait_ms,
		   const struct hpkm_nl_calls *calls)
{
	int64_t give_up = 0;
	int error = 0;

	while (!hpkm_talk_over(talk)) {
		/* Questions are settled when no more of them come. */
		int timeout = talk->doubts->count ? 0 : TICK_MS;

		error = signal_caught ? -EINTR : wait_readable(nl, timeout);
		if (error == -EINTR) {
			/* It may be done, and only not read yet. */
			error = drain(nl, talk);
			if (error || hpkm_talk_over(talk))
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
		hpkm_ask_bindings_size(request->bindings);
	struct hpkm_list doubts = { 0 };
	struct hpkm_talk talk = { .outcome = outcome, .doubts = &doubts };
	struct nl_msg *message;
	int error = -ENOMEM;

	if (signal_caught)
		return -EINTR;
	message = new_request(nl, commands[which], 0, size);
	if (!message)
		return error;
	if (nla_put_string(message, HPKM_A_PATCH_NAME, patch) ||
	    hpkm_ask_options(message, request) ||
	    hpkm_ask_targets(message, request))
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

static int dump_once(struct hpkm_nl *nl, int command, struct hpkm_talk *talk)
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
		struct hpkm_talk talk = { .patches = patches };

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
		struct hpkm_talk talk = { .targets = targets };

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
	struct hpkm_talk talk = {
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
