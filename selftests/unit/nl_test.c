// SPDX-License-Identifier: GPL-2.0
/*
 * Whole requests, answered by a stand-in for the kernel.  Prints TAP.
 *
 * It includes nl.c, to reach what is static there.
 */
#include "nl.c"

#include <pthread.h>

#include "check.h"
#include "failure.h"
#include "hpkm.h"
#include "messages.h"
#include "process.h"
#include "run.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

/* A stand-in for the kernel: for each request, the next of some answers. */

struct script {
	int fd;
	int step;
	void (*answer)(struct script *script, struct nlmsghdr *request);
};

static void script_send(struct script *script, struct nl_msg *message)
{
	struct nlmsghdr *header = nlmsg_hdr(message);

	send(script->fd, header, header->nlmsg_len, 0);
	nlmsg_free(message);
}

static void *script_run(void *data)
{
	struct script *script = data;
	char buffer[8192] __attribute__((aligned(8)));

	while (recv(script->fd, buffer, sizeof(buffer), 0) > 0) {
		script->answer(script, (struct nlmsghdr *)buffer);
		script->step++;
	}
	return NULL;
}

static pthread_t script_thread;

static struct hpkm_nl *script_start(struct script *script)
{
	struct hpkm_nl *nl = calloc(1, sizeof(*nl));
	int pair[2];

	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	nl->family = FAMILY;
	nl->socket = nl_socket_alloc();
	nl->fd = pair[0];
	script->fd = pair[1];
	pthread_create(&script_thread, NULL, script_run, script);
	return nl;
}

static void script_end(struct hpkm_nl *nl, struct script *script)
{
	shutdown(nl->fd, SHUT_RDWR);
	pthread_join(script_thread, NULL);
	close(nl->fd);
	close(script->fd);
	hpkm_nl_close(nl);
}

static void answer_apply(struct script *script, struct nlmsghdr *request)
{
	script_send(script, result_message(0, 12, "web", HPKM_STATUS_APPLIED,
					   NULL, false));
	script_send(script, error_message(request->nlmsg_seq, 0, NULL, true,
					  0));
	usleep(700000);
	script_send(script, done_message(0, HPKM_STATUS_APPLIED, 1));
}

static void count_tick(void *data)
{
	++*(int *)data;
}

static void test_transition(void)
{
	struct script script = { .answer = answer_apply };
	struct hpkm_nl *nl = script_start(&script);
	struct hpkm_process pids[1000] = { { .pid = 12, .start_time = 3 } };
	struct hpkm_request request = { .pids = pids, .pids_count = 1 };
	struct hpkm_outcome outcome = { 0 };
	int ticks = 0;
	const struct hpkm_nl_calls calls = {
		.tick = count_tick,
		.data = &ticks,
	};

	ok(!hpkm_nl_transition(nl, HPKM_TRANSITION_APPLY, "fix", &request,
			       &outcome, &calls) &&
	   outcome.targets.count == 1 && outcome.pause_ns == 143000,
	   "a transition, its result before its acknowledgement");
	ok(ticks == 1, "a tick while it waits");
	hpkm_reply_clear(&hpkm_outcome_record, &outcome);
	script_end(nl, &script);
}

/* What the stand-in was answered. */
static struct {
	unsigned int count;
	uint32_t request, tid;
	uint64_t switches, sp, address, value;
	unsigned int words;
} answer;

static void take_word(struct nlattr *word)
{
	answer.words++;
	answer.address = nla_get_u64(nla_find(nla_data(word), nla_len(word),
					      HPKM_A_WORD_ADDRESS));
	answer.value = nla_get_u64(nla_find(nla_data(word), nla_len(word),
					    HPKM_A_WORD_VALUE));
}

static void take_answer(struct nlmsghdr *message)
{
	struct genlmsghdr *header = nlmsg_data(message);
	struct nlattr *attrs = genlmsg_attrdata(header, 0), *doubt, *attr;
	int length = genlmsg_attrlen(header, 0), rest;

	if (header->cmd != HPKM_CMD_ANSWER)
		return;
	answer.count++;
	answer.request = nla_get_u32(nla_find(attrs, length, HPKM_A_REQUEST));
	doubt = nla_find(attrs, length, HPKM_A_DOUBT);
	nla_for_each_nested(attr, doubt, rest) {
		if (nla_type(attr) == HPKM_A_DOUBT_TID)
			answer.tid = nla_get_u32(attr);
		else if (nla_type(attr) == HPKM_A_DOUBT_SWITCHES)
			answer.switches = nla_get_u64(attr);
		else if (nla_type(attr) == HPKM_A_DOUBT_SP)
			answer.sp = nla_get_u64(attr);
		else if (nla_type(attr) == HPKM_A_DOUBT_WORD)
			take_word(attr);
	}
}

/* Two questions, and the end after the answer to one of them. */
static void answer_with_doubts(struct script *script, struct nlmsghdr *request)
{
	static uint32_t seq;

	if (!script->step) {
		seq = request->nlmsg_seq;
		script_send(script, doubt_message(seq, seq, 13, 24));
		script_send(script, doubt_message(seq, seq, 14, 24));
		script_send(script, error_message(seq, 0, NULL, true, 0));
		return;
	}
	take_answer(request);
	/* The kernel's word on the answer bears the answer's number. */
	script_send(script, error_message(request->nlmsg_seq, -ENOENT,
					  "no such request", true, 0));
	script_send(script, result_message(0, 12, "web", HPKM_STATUS_APPLIED,
					   NULL, false));
	script_send(script, done_message(0, HPKM_STATUS_APPLIED, 1));
}

/* Of thread 14, the second word is stale. */
static void settle_one(struct hpkm_list *list, void *data)
{
	struct hpkm_doubt *doubts = list->items;

	*(size_t *)data += list->count;
	for (size_t i = 0; i < list->count; i++)
		if (doubts[i].tid == 14)
			((struct hpkm_word *)doubts[i].words.items)[1].stale =
				true;
}

static void test_answer(void)
{
	struct script script = { .answer = answer_with_doubts };
	struct hpkm_nl *nl = script_start(&script);
	struct hpkm_request request = { .all = true };
	struct hpkm_outcome outcome = { 0 };
	size_t asked = 0;
	const struct hpkm_nl_calls calls = {
		.settle = settle_one,
		.data = &asked,
	};

	ok(!hpkm_nl_transition(nl, HPKM_TRANSITION_APPLY, "fix", &request,
			       &outcome, &calls) && outcome.targets.count == 1,
	   "a transition with questions");
	ok(asked == 2, "which are settled, once each");
	ok(!*hpkm_nl_words(nl), "what the kernel says of an answer is ignored");
	hpkm_reply_clear(&hpkm_outcome_record, &outcome);
	script_end(nl, &script);
	ok(answer.count == 1 && script.step == 2,
	   "nothing is said where nothing is known");
	ok(answer.request && answer.tid == 14 && answer.switches == 33 &&
	   answer.sp == 0x7000, "the answer tells thread and request");
	ok(answer.words == 1 && answer.address == 0x7008 &&
	   answer.value == 0x400001, "and the stale word only");
}

static void answer_refusal(struct script *script, struct nlmsghdr *request)
{
	script_send(script, error_message(request->nlmsg_seq, -ESRCH,
					  "no process has it", true, 0));
}

static void test_refusal(void)
{
	struct script script = { .answer = answer_refusal };
	struct hpkm_process *pids = calloc(1000, sizeof(*pids));
	struct hpkm_run run = { .request.pids = pids };

	run.request.pids_count = 1000;
	run.nl = script_start(&script);
	ok(hpkm_run_transition(&run, HPKM_TRANSITION_REVERT, "fix") ==
	   HPKM_EXIT_NOTHING, "ESRCH is status 3, with 1000 pids");
	same(run.failure.why, "the kernel says: no process has it",
	     "the kernel's words are passed on");
	script_end(run.nl, &script);
	run.nl = NULL;
	hpkm_run_free(&run);
}

static void answer_dump(struct script *script, struct nlmsghdr *request)
{
	struct nl_msg *message;
	int zero = 0;

	for (int i = 0; i < 2; i++) {
		message = start(HPKM_CMD_PATCH_GET, request->nlmsg_seq);
		nla_put_string(message, HPKM_A_PATCH_NAME, "p");
		nlmsg_hdr(message)->nlmsg_flags |= NLM_F_MULTI |
			(!script->step && i ? NLM_F_DUMP_INTR : 0);
		script_send(script, message);
	}
	message = nlmsg_alloc_size(256);
	nlmsg_put(message, 0, request->nlmsg_seq, NLMSG_DONE, 0, NLM_F_MULTI);
	nlmsg_hdr(message)->nlmsg_seq = request->nlmsg_seq;
	nlmsg_append(message, &zero, sizeof(zero), 0);
	script_send(script, message);
}

static void test_interrupted_dump(void)
{
	struct script script = { .answer = answer_dump };
	struct hpkm_nl *nl = script_start(&script);
	struct hpkm_list patches = { 0 };

	ok(!hpkm_nl_patches(nl, &patches) && patches.count == 2,
	   "an interrupted dump is asked for again");
	script_end(nl, &script);
	ok(script.step == 2, "and only once more");
	hpkm_list_clear(&patches, &hpkm_loaded_record);
}

static void answer_signal(struct script *script, struct nlmsghdr *request)
{
	script_send(script, error_message(request->nlmsg_seq, 0, NULL, true,
					  0));
	usleep(100000);
	/* The whole outcome lies in the socket when the signal comes. */
	if (script->step == 0) {
		script_send(script, result_message(0, 12, "web",
				HPKM_STATUS_APPLIED, NULL, false));
		script_send(script, done_message(0, HPKM_STATUS_APPLIED, 1));
	}
	kill(getpid(), SIGTERM);
}

static void test_signal(void)
{
	struct script script = { .answer = answer_signal };
	struct hpkm_nl *nl;
	struct hpkm_request request = { .all = true };
	struct hpkm_outcome outcome = { 0 };
	int ticks;
	const struct hpkm_nl_calls calls = {
		.tick = count_tick,
		.data = &ticks,
	};

	hpkm_nl_catch_signals();
	nl = script_start(&script);
	ok(!hpkm_nl_transition(nl, HPKM_TRANSITION_APPLY, "fix", &request,
			       &outcome, &calls),
	   "a signal after the end does not hide the outcome");
	hpkm_reply_clear(&hpkm_outcome_record, &outcome);
	/* The signal may still be pending: let it come now. */
	while (!signal_caught)
		wait_readable(nl, 10);
	signal_caught = 0;
	ok(hpkm_nl_transition(nl, HPKM_TRANSITION_APPLY, "fix", &request,
			      &outcome, &calls) == -EINTR,
	   "a signal before the end cancels");
	hpkm_reply_clear(&hpkm_outcome_record, &outcome);
	script_end(nl, &script);
}

static void test_failures(void)
{
	static const struct {
		enum hpkm_step step;
		int error, status;
	} cases[] = {
		{ HPKM_STEP_OPEN, -ENOENT, HPKM_EXIT_ERROR },
		{ HPKM_STEP_LOAD, -EPERM, HPKM_EXIT_ERROR },
		{ HPKM_STEP_LOAD, -EINVAL, HPKM_EXIT_REFUSED },
		{ HPKM_STEP_LOAD, -EBADMSG, HPKM_EXIT_REFUSED },
		{ HPKM_STEP_LOAD, -EEXIST, HPKM_EXIT_REFUSED },
		{ HPKM_STEP_LOAD, -ENOEXEC, HPKM_EXIT_REFUSED },
		{ HPKM_STEP_LOAD, -EOPNOTSUPP, HPKM_EXIT_REFUSED },
		{ HPKM_STEP_LOAD, -ENOMEM, HPKM_EXIT_ERROR },
		{ HPKM_STEP_APPLY, -EINVAL, HPKM_EXIT_ERROR },
		{ HPKM_STEP_APPLY, -ESRCH, HPKM_EXIT_NOTHING },
		{ HPKM_STEP_REVERT, -ENOENT, HPKM_EXIT_NOTHING },
		{ HPKM_STEP_REVERT, -EINTR, HPKM_EXIT_ERROR },
	};
	bool good = true;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct hpkm_failure failure;

		if (hpkm_failure_errno(&failure, cases[i].step, cases[i].error,
				       "x", "") != cases[i].status) {
			printf("# case %zu\n", i);
			good = false;
		}
	}
	ok(good, "exit statuses of errnos");
}

int main(int argc, char **argv)
{
	test_transition();
	test_answer();
	test_refusal();
	test_interrupted_dump();
	test_failures();
	test_signal();
	return finish();
}
