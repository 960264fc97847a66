/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The conversation with the kernel module (stage 5).  nl.c, ask.c, talk.c and
 * attrs.c are the only users of libnl; the protocol is Documentation/netlink/specs/hpkm.yaml.
 *
 * Calls that can fail return 0 or a negative errno: the one that the kernel
 * sent where it sent one.  hpkm_nl_words() then has the kernel's words.
 */
#ifndef HPKM_NL_H
#define HPKM_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reply.h"

struct hpkm_nl;
struct hpkm_request;

/* -ENOENT: the module is not loaded. */
int hpkm_nl_open(struct hpkm_nl **result);
/* Cancels, in the kernel, what was started and is not done. */
void hpkm_nl_close(struct hpkm_nl *nl);

/*
 * What the kernel said about the last request that failed, with the attribute
 * it was about; "" when it sent a number only.
 */
const char *hpkm_nl_words(const struct hpkm_nl *nl);

/*
 * From here on SIGINT and SIGTERM end hpkm_nl_transition() and
 * hpkm_nl_follow() with -EINTR, rather than the program.
 */
void hpkm_nl_catch_signals(void);

/* Have an image validated; fills name, version and funcs of the patch. */
int hpkm_nl_load(struct hpkm_nl *nl, int fd, uint64_t offset, uint64_t size,
		 struct hpkm_loaded *patch);

enum hpkm_transition {
	HPKM_TRANSITION_APPLY,
	HPKM_TRANSITION_REVERT,
};

/* What is done while the outcome is waited for. */
struct hpkm_nl_calls {
	/* Called about twice a second. */
	void (*tick)(void *data);
	/*
	 * The kernel asks about words on stacks: mark those that are stale, in
	 * a list of struct hpkm_doubt.  They are sent as the answer.
	 */
	void (*settle)(struct hpkm_list *doubts, void *data);
	void *data;
};

/*
 * Have a patch applied or reverted, and collect the outcome.
 * Return: -EINTR after a signal; -ENOBUFS when messages were lost and the end
 * of the transition did not come in time.
 */
int hpkm_nl_transition(struct hpkm_nl *nl, enum hpkm_transition which,
		       const char *patch, const struct hpkm_request *request,
		       struct hpkm_outcome *outcome,
		       const struct hpkm_nl_calls *calls);

/* Fill a list of struct hpkm_loaded; of struct hpkm_patched. */
int hpkm_nl_patches(struct hpkm_nl *nl, struct hpkm_list *patches);
int hpkm_nl_targets(struct hpkm_nl *nl, struct hpkm_list *targets);

/*
 * Join the event group, and hand over each notice.
 * Return: -EINTR after a signal, -ENODEV when the module was unloaded.
 */
int hpkm_nl_join(struct hpkm_nl *nl);
int hpkm_nl_follow(struct hpkm_nl *nl,
		   void (*notice)(struct hpkm_notice *notice, void *data),
		   void (*lost)(void *data), void *data);

#endif /* HPKM_NL_H */
