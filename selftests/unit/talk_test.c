// SPDX-License-Identifier: GPL-2.0
/*
 * Crafted replies of the kernel go through the parser.  Prints TAP.
 *
 * It includes talk.c, to reach what is static there.  With the name of a
 * directory it leaves seeds for nl_fuzz there.
 */
#include "talk.c"

#include "check.h"
#include "hpkm.h"
#include "messages.h"
#include "run.h"

static void test_verdicts(void)
{
	static const struct {
		uint32_t one, two, whole;
		int exit;
	} cases[] = {
		{ HPKM_STATUS_APPLIED, HPKM_STATUS_ALREADY,
		  HPKM_STATUS_APPLIED, HPKM_EXIT_OK },
		{ HPKM_STATUS_DRY_RUN, HPKM_STATUS_GONE, HPKM_STATUS_DRY_RUN,
		  HPKM_EXIT_OK },
		{ HPKM_STATUS_GONE, HPKM_STATUS_READY, HPKM_STATUS_GONE,
		  HPKM_EXIT_NOTHING },
		{ HPKM_STATUS_READY, HPKM_STATUS_BUSY, HPKM_STATUS_BUSY,
		  HPKM_EXIT_BUSY },
		{ HPKM_STATUS_BUSY, HPKM_STATUS_REFUSED, HPKM_STATUS_REFUSED,
		  HPKM_EXIT_REFUSED },
		{ HPKM_STATUS_REFUSED, HPKM_STATUS_ERROR, HPKM_STATUS_ERROR,
		  HPKM_EXIT_ERROR },
		{ HPKM_STATUS_READY, HPKM_STATUS_READY, HPKM_STATUS_BUSY,
		  HPKM_EXIT_BUSY },
		{ HPKM_STATUS_APPLIED, 1234, HPKM_STATUS_APPLIED,
		  HPKM_EXIT_ERROR },
		/* The whole can't make good what a part is. */
		{ HPKM_STATUS_BUSY, HPKM_STATUS_READY, HPKM_STATUS_APPLIED,
		  HPKM_EXIT_BUSY },
	};
	bool good = true;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct hpkm_outcome outcome = { 0 };
		struct hpkm_talk talk = { .outcome = &outcome };

		feed(&talk, result_message(SEQ, 1, "a", cases[i].one, NULL,
					   false));
		feed(&talk, result_message(SEQ, 2, "b", cases[i].two, NULL,
					   false));
		feed(&talk, done_message(SEQ, cases[i].whole, 2));
		if (hpkm_run_verdict(&outcome) != cases[i].exit) {
			printf("# case %zu\n", i);
			good = false;
		}
		hpkm_reply_clear(&hpkm_outcome_record, &outcome);
	}
	ok(good, "verdicts of several targets");
}

static void test_errors(void)
{
	struct hpkm_talk talk = { 0 };
	struct nl_msg *request;
	struct nlattr *nest;
	uint32_t offset;
	char words[HPKM_TALK_WORDS];

	feed(&talk, error_message(SEQ, -EINVAL, "it is bad", true, 0));
	ok(talk.answered && talk.error == -EINVAL, "errno of a capped error");
	same(talk.words, "it is bad", "words of a capped error");
	talk = (struct hpkm_talk){ 0 };
	feed(&talk, error_message(SEQ, -EINVAL, "it is bad", false, 0));
	same(talk.words, "it is bad", "words after the repeated request");
	talk = (struct hpkm_talk){ 0 };
	feed(&talk, error_message(SEQ, -EINVAL, NULL, true, HPKM_A_FD));
	same(talk.words, "attribute fd is missing", "a missing attribute");
	talk = (struct hpkm_talk){ 0 };
	feed(&talk, error_message(SEQ, -EINVAL, "no", true, HPKM_A_WAIT));
	same(talk.words, "no (attribute wait is missing)",
	     "a missing attribute, with words");
	talk = (struct hpkm_talk){ 0 };
	feed(&talk, error_message(SEQ + 5, -EINVAL, "no", true, 0));
	ok(!talk.answered, "the error of another request is passed over");

	request = start(HPKM_CMD_APPLY, SEQ);
	nla_put_string(request, HPKM_A_PATCH_NAME, "fix");
	nest = nla_nest_start(request, HPKM_A_TARGET);
	nla_put_u32(request, HPKM_A_TARGET_PID, 4711);
	nla_nest_end(request, nest);
	offset = (char *)nest - (char *)nlmsg_hdr(request);
	describe_attr(attr_at(nlmsg_hdr(request), offset + 4), words,
		      sizeof(words));
	same(words, " (pid 4711)", "the target that an error points into");
	describe_attr(attr_at(nlmsg_hdr(request), NLMSG_HDRLEN + GENL_HDRLEN),
		      words, sizeof(words));
	same(words, " (attribute patch-name)", "the attribute likewise");
	describe_attr(attr_at(nlmsg_hdr(request), 4000), words, sizeof(words));
	same(words, "", "an offset outside of the request");
	nlmsg_free(request);
}

static void test_malformed(void)
{
	struct hpkm_outcome outcome = { 0 };
	struct hpkm_loaded patch = { 0 };
	struct hpkm_talk talk = { .outcome = &outcome, .patch = &patch };
	struct nl_msg *message;

	message = start(HPKM_CMD_DONE, SEQ);
	nla_put(message, HPKM_A_STATUS, 2, "\0");
	ok(feed(&talk, message) == -EBADMSG, "a number of two bytes");
	message = start(HPKM_CMD_DONE, SEQ);
	ok(feed(&talk, message) == -EBADMSG, "done without a status");
	message = start(HPKM_CMD_RESULT, SEQ);
	nla_put_string(message, HPKM_A_PATCH_NAME, "fix");
	ok(feed(&talk, message) == -EBADMSG && !outcome.targets.count,
	   "a result without a target");
	message = start(HPKM_CMD_LOAD, SEQ);
	nla_put(message, HPKM_A_PATCH_NAME, 3, "fix");
	nla_put(message, HPKM_A_PATCH_VERSION, 0, "");
	ok(!feed(&talk, message) && !strcmp(patch.name, "fix") &&
	   !*patch.version, "strings without their NUL");
	hpkm_reply_clear(&hpkm_loaded_record, &patch);
	hpkm_reply_clear(&hpkm_outcome_record, &outcome);
}

static void test_doubt(void)
{
	struct hpkm_list doubts = { 0 };
	struct hpkm_outcome outcome = { 0 };
	struct hpkm_talk talk = { .outcome = &outcome, .doubts = &doubts };
	const struct hpkm_doubt *doubt;
	const struct hpkm_word *words;

	ok(!feed(&talk, doubt_message(SEQ, SEQ, 13, 24)) && doubts.count == 1,
	   "a question is taken");
	doubt = doubts.items;
	words = doubt->words.items;
	ok(doubt->pid == 12 && doubt->tid == 13 && doubt->switches == 33 &&
	   doubt->sp == 0x7000 && doubt->registers.count == 3 &&
	   doubt->registers.value[2] == 7, "with its thread");
	ok(doubt->words.count == WORDS && words[2].address == 0x7010 &&
	   words[2].value == 0x400002, "and its words");
	ok(!feed(&talk, doubt_message(SEQ, SEQ + 1, 13, 24)) &&
	   doubts.count == 1, "of another request: passed over");
	ok(feed(&talk, doubt_message(SEQ, SEQ, 13, 23)) == -EBADMSG,
	   "half a register");
	ok(feed(&talk, doubt_message(SEQ, SEQ, 13,
				     8 * HPKM_NUMBERS_MAX + 8)) == -EBADMSG,
	   "too many registers");
	ok(doubts.count == 1 && !outcome.targets.count,
	   "nothing is kept of it");
	hpkm_list_clear(&doubts, &hpkm_doubt_record);
}

int main(int argc, char **argv)
{
	seeds = argv[1];
	test_verdicts();
	test_errors();
	test_malformed();
	test_doubt();
	return finish();
}
