// SPDX-License-Identifier: GPL-2.0
/*
 * Replies of the kernel: crafted messages go through the parser and the
 * report, and a stand-in for the kernel answers whole requests.  Prints TAP.
 *
 * It includes nl.c, to reach what is static there, and is linked with
 * user/{reply,report,run,process,failure,text,message,request}.c.  With the
 * name of a directory it leaves seeds for nl_fuzz there.
 */
#include "nl.c"

#include <pthread.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "blocked.h"
#include "failure.h"
#include "hpkm.h"
#include "process.h"
#include "report.h"
#include "run.h"
#include "syscall.h"

#define FAMILY	0x1c
#define SEQ	77

static int tests, failures;

static void ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	failures += !good;
}

static void same(const char *got, const char *want, const char *name)
{
	ok(!strcmp(got, want), name);
	if (strcmp(got, want))
		printf("# got:\n%s\n# want:\n%s\n", got, want);
}

/* Standard output into a string, between capture_start() and _end(). */
static FILE *real_stdout;
static char *captured;
static size_t captured_size;

static void capture_start(void)
{
	real_stdout = stdout;
	stdout = open_memstream(&captured, &captured_size);
}

static char *capture_end(void)
{
	fclose(stdout);
	stdout = real_stdout;
	return captured;
}

/* Messages */

static struct nl_msg *start(int command, uint32_t seq)
{
	struct nl_msg *message = nlmsg_alloc_size(8192);

	genlmsg_put(message, 0, seq, FAMILY, 0, 0, command, 1);
	nlmsg_hdr(message)->nlmsg_seq = seq;
	return message;
}

/* Where to keep each message, as a seed for nl_fuzz; NULL: nowhere. */
static const char *seeds;

static void keep_seed(const struct nlmsghdr *header)
{
	static int number;
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d", seeds, number++);
	file = fopen(path, "w");
	if (!file)
		return;
	fwrite(header, header->nlmsg_len, 1, file);
	fclose(file);
}

static int feed(struct talk *talk, struct nl_msg *message)
{
	struct nlmsghdr *header = nlmsg_hdr(message);
	int error;

	if (seeds)
		keep_seed(header);
	talk->family = FAMILY;
	talk->seq = SEQ;
	error = talk_input(talk, header, header->nlmsg_len);
	nlmsg_free(message);
	return error;
}

static void put_target(struct nl_msg *message, uint32_t pid, const char *comm,
		       uint32_t status, const char *error, bool blocked)
{
	struct nlattr *nest = nla_nest_start(message, HPKM_A_TARGET);

	nla_put_u32(message, HPKM_A_TARGET_PID, pid);
	nla_put_string(message, HPKM_A_TARGET_COMM, comm);
	nla_put_u32(message, HPKM_A_TARGET_STATUS, status);
	nla_put_u32(message, HPKM_A_TARGET_THREADS, 12);
	nla_put_u32(message, HPKM_A_TARGET_ATTEMPTS, 3);
	if (blocked)
		nla_put_u32(message, HPKM_A_TARGET_HOOK,
			    HPKM_HOOK_STATE_WANTED);
	if (error)
		nla_put_string(message, HPKM_A_TARGET_ERROR, error);
	for (int i = 0; blocked && i < 2; i++) {
		struct nlattr *inner;

		inner = nla_nest_start(message, HPKM_A_TARGET_BLOCKED);
		nla_put_u32(message, HPKM_A_BLOCKED_TID, 0x7ffffff0 + i);
		nla_put_string(message, HPKM_A_BLOCKED_FUNC, "parse");
		nla_put_u64(message, HPKM_A_BLOCKED_IP, 0x555555554321);
		if (i) {
			nla_put_u64(message, HPKM_A_BLOCKED_ON_STACK,
				    0x7ffffffff000);
			nla_put_string(message, HPKM_A_BLOCKED_COMM, "work");
		}
		nla_nest_end(message, inner);
	}
	nla_nest_end(message, nest);
}

static struct nl_msg *result_message(uint32_t seq, uint32_t pid,
				     const char *comm, uint32_t status,
				     const char *error, bool blocked)
{
	struct nl_msg *message = start(HPKM_CMD_RESULT, seq);

	nla_put_string(message, HPKM_A_PATCH_NAME, "fix");
	/* Of a newer kernel, to be passed over. */
	nla_put_u32(message, 999, 1);
	put_target(message, pid, comm, status, error, blocked);
	return message;
}

static struct nl_msg *done_message(uint32_t seq, uint32_t status,
				   uint32_t targets)
{
	struct nl_msg *message = start(HPKM_CMD_DONE, seq);

	nla_put_string(message, HPKM_A_PATCH_NAME, "fix");
	nla_put_string(message, HPKM_A_PATCH_VERSION, "1.2");
	nla_put_u32(message, HPKM_A_STATUS, status);
	nla_put_u64(message, HPKM_A_PAUSE_NS, 143000);
	nla_put_u32(message, HPKM_A_ATTEMPTS, 3);
	nla_put_u64(message, HPKM_A_WORDS, 99);
	nla_put_u32(message, HPKM_A_TARGETS, targets);
	return message;
}

static struct nl_msg *error_message(uint32_t seq, int error,
				    const char *words, bool capped, int miss)
{
	struct nl_msg *message = nlmsg_alloc_size(4096);
	struct nlmsghdr request = {
		.nlmsg_len = NLMSG_HDRLEN + (capped ? 200 : 8),
		.nlmsg_seq = seq,
	};
	struct nlmsghdr *header;

	header = nlmsg_put(message, 0, seq, NLMSG_ERROR, 0, 0);
	header->nlmsg_flags = (capped ? NLM_F_CAPPED : 0) |
			      (words || miss ? NLM_F_ACK_TLVS : 0);
	header->nlmsg_seq = seq;
	nlmsg_append(message, &error, sizeof(error), 0);
	nlmsg_append(message, &request, sizeof(request), 0);
	if (!capped)
		nlmsg_append(message, "\0\0\0\0\0\0\0", 8, 0);
	if (words)
		nla_put_string(message, NLMSGERR_ATTR_MSG, words);
	if (miss)
		nla_put_u32(message, NLMSGERR_ATTR_MISS_TYPE, miss);
	return message;
}

static struct nl_msg *placed_message(uint32_t pid, const char *name,
				     uint32_t order, const char *func,
				     bool object)
{
	struct nl_msg *message = start(HPKM_CMD_TARGET_GET, SEQ);
	struct nlattr *target = nla_nest_start(message, HPKM_A_TARGET);
	struct nlattr *patch, *inner;

	nla_put_u32(message, HPKM_A_TARGET_PID, pid);
	nla_put_u64(message, HPKM_A_TARGET_START_TIME, 5000);
	nla_put_string(message, HPKM_A_TARGET_COMM, "daemon");
	patch = nla_nest_start(message, HPKM_A_TARGET_PATCH);
	nla_put_string(message, HPKM_A_PLACED_NAME, name);
	nla_put_string(message, HPKM_A_PLACED_VERSION, "1");
	nla_put_u32(message, HPKM_A_PLACED_ORDER, order);
	if (object) {
		inner = nla_nest_start(message, HPKM_A_PLACED_OBJECT);
		nla_put_string(message, HPKM_A_OBJECT_NAME, "daemon");
		nla_put(message, HPKM_A_OBJECT_BUILD_ID, 3, "\x01\xab\xff");
		nla_put_u64(message, HPKM_A_OBJECT_BASE, 0x400000);
		nla_put_u64(message, HPKM_A_OBJECT_SPAN, 0x300000);
		nla_put_u64(message, HPKM_A_OBJECT_SPAN_SIZE, 8192);
		nla_nest_end(message, inner);
	}
	inner = nla_nest_start(message, HPKM_A_PLACED_FUNC);
	nla_put_string(message, HPKM_A_FUNC_NAME, func);
	nla_put_u64(message, HPKM_A_FUNC_OLD, 0x401000);
	nla_put_u64(message, HPKM_A_FUNC_NEW, 0x301000);
	nla_put_u64(message, HPKM_A_FUNC_SLOT, 0x302000);
	if (order == 2)
		nla_put_flag(message, HPKM_A_FUNC_ACTIVE);
	nla_nest_end(message, inner);
	nla_nest_end(message, patch);
	nla_nest_end(message, target);
	return message;
}

/* Outcomes */

static void test_outcome(void)
{
	struct hpkm_outcome outcome = { 0 };
	struct hpkm_failure none = { 0 };
	struct hpkm_request request = { 0 };
	struct talk talk = { .outcome = &outcome };
	char *text;

	/* The acknowledgement comes last. */
	ok(!feed(&talk, result_message(SEQ, 12, "web", HPKM_STATUS_APPLIED,
				       NULL, false)), "result is taken");
	ok(!feed(&talk, result_message(0, 13, "a\xff\"\x1b", HPKM_STATUS_ALREADY,
				       NULL, false)),
	   "result with sequence number 0 is taken");
	ok(!feed(&talk, result_message(SEQ + 1, 14, "web", HPKM_STATUS_ERROR,
				       NULL, false)) &&
	   outcome.targets.count == 2,
	   "result of another request is passed over");
	ok(!feed(&talk, done_message(0, HPKM_STATUS_APPLIED, 2)) && talk.done,
	   "done is taken");
	ok(!transition_over(&talk), "not over before the acknowledgement");
	ok(!feed(&talk, error_message(SEQ, 0, NULL, true, 0)) &&
	   transition_over(&talk), "over with the acknowledgement");
	ok(hpkm_run_verdict(&outcome) == HPKM_EXIT_OK, "verdict 0");

	request.json = true;
	capture_start();
	hpkm_report_outcome(&request, &outcome, &none);
	text = capture_end();
	same(text,
	     "{\n"
	     "  \"patch\":\"fix\",\n"
	     "  \"version\":\"1.2\",\n"
	     "  \"pause_ns\":143000,\n"
	     "  \"targets\":[\n"
	     "    {\n"
	     "      \"pid\":12,\n"
	     "      \"comm\":\"web\",\n"
	     "      \"status\":\"applied\",\n"
	     "      \"threads\":12,\n"
	     "      \"attempts\":3,\n"
	     "      \"blocked_by\":[\n"
	     "      ],\n"
	     "      \"error\":\"\"\n"
	     "    },\n"
	     "    {\n"
	     "      \"pid\":13,\n"
	     "      \"comm\":\"a\357\277\275\\\"\\u001b\",\n"
	     "      \"status\":\"already\",\n"
	     "      \"threads\":12,\n"
	     "      \"attempts\":3,\n"
	     "      \"blocked_by\":[\n"
	     "      ],\n"
	     "      \"error\":\"\"\n"
	     "    }\n"
	     "  ],\n"
	     "  \"attempts\":3,\n"
	     "  \"words\":99,\n"
	     "  \"error\":\"\"\n"
	     "}\n", "outcome as JSON");
	free(text);
	request.json = false;
	capture_start();
	hpkm_report_outcome(&request, &outcome, &none);
	text = capture_end();
	same(text,
	     "patch fix 1.2: 1 applied, 1 already, pause 0.143 ms, attempts 3, words 99\n"
	     "  12 web: applied, threads 12, attempts 3\n"
	     "  13 a\\xff\"\\x1b: already, threads 12, attempts 3\n",
	     "outcome as text");
	free(text);
	hpkm_reply_clear(&hpkm_outcome_record, &outcome);
}

/* What is known of threads in the way, and what the tools add. */
static void test_diagnosis(void)
{
	struct hpkm_blocked items[] = {
		{ .present = 1 << HPKM_A_BLOCKED_TID | 1 << HPKM_A_BLOCKED_IP |
			     1 << HPKM_A_BLOCKED_ON_STACK |
			     1 << HPKM_A_BLOCKED_SINCE,
		  .tid = 13, .ip = 0x4000, .on_stack = 0x7000,
		  .since_ms = 12345, .func = "parse", .comm = "web",
		  .wchan = "do_select", .syscall = "select",
		  .unwound = "unwound: it returns there",
		  .advice = "wait" },
		{ .func = "(another request is under way)", .comm = "" },
		{ .tid = 14, .func = "(stacks are too large)", .comm = "web" },
		{ .tid = 15, .func = "parse", .comm = "web" },
		{ .present = 1 << HPKM_A_BLOCKED_IP |
			     1 << HPKM_A_BLOCKED_ON_STACK,
		  .ip = 0x4000, .on_stack = 0x9000, .func = "parse" },
	};
	struct hpkm_target target = {
		.pid = 12, .comm = "web",
		.blocked = { .items = items, .count = COUNT(items) },
	};
	struct hpkm_outcome outcome = {
		.patch = "fix",
		.targets = { .items = &target, .count = 1 },
	};
	struct hpkm_request request = { 0 };
	struct hpkm_failure none = { 0 };
	char *text;

	capture_start();
	hpkm_report_outcome(&request, &outcome, &none);
	text = capture_end();
	same(text,
	     "patch fix: 1 applied\n"
	     "  12 web\n"
	     "    thread 13 (web) returns into parse at 0x4000, found on its stack at 0x7000, for 12.3 s now, waits in do_select, system call select\n"
	     "      unwound: it returns there\n"
	     "      wait\n"
	     "    another request is under way\n"
	     "    thread 14 (web): stacks are too large\n"
	     "    thread 15 (web) is in the way, in parse\n"
	     "    memory at 0x9000 holds an address in parse, 0x4000\n",
	     "threads in the way as text");
	free(text);
	request.json = true;
	capture_start();
	hpkm_report_outcome(&request, &outcome, &none);
	text = capture_end();
	ok(strstr(text, "\"since_ms\":12345,\n"
		  "          \"wchan\":\"do_select\",\n"
		  "          \"syscall\":\"select\",\n"
		  "          \"unwound\":\"unwound: it returns there\",\n"
		  "          \"advice\":\"wait\"\n"), "and as JSON");
	free(text);
}

/* A thread of our own, asleep and stopped, is looked at. */
static void test_look(void)
{
	struct hpkm_request request = { 0 };
	struct hpkm_target target = { 0 };
	struct hpkm_blocked *blocked;
	pid_t child = fork();

	if (!child) {
		for (;;)
			pause();
	}
	while (hpkm_process_state(child) != 'S')
		usleep(1000);
	blocked = hpkm_list_add(&target.blocked, &hpkm_blocked_record);
	blocked->tid = child;
	blocked->func = strdup("parse");
	hpkm_blocked_look(&target, &request, HPKM_TRANSITION_APPLY);
	/* Not every kernel has the file. */
	ok(!blocked->syscall || !strcmp(blocked->syscall, "pause"),
	   "its system call, by name");
	ok(blocked->advice && strstr(blocked->advice, "--consistency ip"),
	   "it sleeps: what can be done");
	hpkm_reply_clear(&hpkm_target_record, &target);
	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
	blocked = hpkm_list_add(&target.blocked, &hpkm_blocked_record);
	blocked->tid = child;
	request.consistency = HPKM_CONSISTENCY_IP;
	hpkm_blocked_look(&target, &request, HPKM_TRANSITION_APPLY);
	ok(blocked->advice && strstr(blocked->advice, "SIGCONT"),
	   "it is stopped: another advice");
	hpkm_reply_clear(&hpkm_target_record, &target);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ok(!strcmp(hpkm_syscall_name(0), "read") && !hpkm_syscall_name(-1UL),
	   "names of system calls");
}

static void test_blocked(void)
{
	struct hpkm_outcome outcome = { 0 };
	struct hpkm_failure failure = { 0 };
	struct hpkm_request request = { 0 };
	struct talk talk = { .outcome = &outcome };
	char *text;
	int status;

	feed(&talk, result_message(SEQ, 12, "web", HPKM_STATUS_BUSY,
				   "it is \"busy\"", true));
	feed(&talk, result_message(SEQ, 13, "web", HPKM_STATUS_READY, NULL,
				   false));
	feed(&talk, done_message(SEQ, HPKM_STATUS_BUSY, 2));
	ok(hpkm_run_verdict(&outcome) == HPKM_EXIT_BUSY, "verdict 6");
	hpkm_failure_set(&failure, HPKM_EXIT_BUSY, "fix was not applied",
			 "why", "advice");
	capture_start();
	status = hpkm_report_outcome(&request, &outcome, &failure);
	text = capture_end();
	same(text,
	     "patch fix 1.2: 1 busy, 1 ready, pause 0.143 ms, attempts 3, words 99\n"
	     "  12 web: busy, threads 12, attempts 3, hook wanted: it is \"busy\"\n"
	     "    thread 2147483632 stands in parse at 0x555555554321\n"
	     "    thread 2147483633 (work) returns into parse at 0x555555554321, found on its stack at 0x7ffffffff000\n"
	     "  13 web: ready, threads 12, attempts 3\n",
	     "blocked outcome as text");
	free(text);
	ok(status == HPKM_EXIT_BUSY, "its status is the failure's");
	request.json = true;
	capture_start();
	hpkm_report_outcome(&request, &outcome, &failure);
	text = capture_end();
	ok(strstr(text, "\"tid\":2147483633,\n"
		  "          \"func\":\"parse\",\n"
		  "          \"ip\":\"0x555555554321\",\n"
		  "          \"on_stack\":\"0x7ffffffff000\",\n"
		  "          \"comm\":\"work\"\n"), "blocked_by as JSON");
	ok(strstr(text, "\"hook\":\"wanted\",\n"), "state of hooks as JSON");
	ok(strstr(text, "\"error\":\"fix was not applied: why\"\n}\n"),
	   "the failure is the error of the document");
	free(text);
	hpkm_reply_clear(&hpkm_outcome_record, &outcome);
}

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
		struct talk talk = { .outcome = &outcome };

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

/* Errors */

static void test_errors(void)
{
	struct talk talk = { 0 };
	struct nl_msg *request;
	struct nlattr *nest;
	uint32_t offset;
	char words[WORDS_SIZE];

	feed(&talk, error_message(SEQ, -EINVAL, "it is bad", true, 0));
	ok(talk.answered && talk.error == -EINVAL, "errno of a capped error");
	same(talk.words, "it is bad", "words of a capped error");
	talk = (struct talk){ 0 };
	feed(&talk, error_message(SEQ, -EINVAL, "it is bad", false, 0));
	same(talk.words, "it is bad", "words after the repeated request");
	talk = (struct talk){ 0 };
	feed(&talk, error_message(SEQ, -EINVAL, NULL, true, HPKM_A_FD));
	same(talk.words, "attribute fd is missing", "a missing attribute");
	talk = (struct talk){ 0 };
	feed(&talk, error_message(SEQ, -EINVAL, "no", true, HPKM_A_WAIT));
	same(talk.words, "no (attribute wait is missing)",
	     "a missing attribute, with words");
	talk = (struct talk){ 0 };
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
	struct talk talk = { .outcome = &outcome, .patch = &patch };
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

/* Dumps */

static struct nl_msg *retiring_message(uint32_t pid, const char *name)
{
	struct nl_msg *message = start(HPKM_CMD_TARGET_GET, SEQ);
	struct nlattr *target = nla_nest_start(message, HPKM_A_TARGET);
	struct nlattr *patch, *inner;

	nla_put_u32(message, HPKM_A_TARGET_PID, pid);
	nla_put_u64(message, HPKM_A_TARGET_START_TIME, 5000);
	nla_put_string(message, HPKM_A_TARGET_COMM, "daemon");
	patch = nla_nest_start(message, HPKM_A_TARGET_PATCH);
	nla_put_string(message, HPKM_A_PLACED_NAME, name);
	nla_put_string(message, HPKM_A_PLACED_VERSION, "1");
	nla_put_flag(message, HPKM_A_PLACED_RETIRING);
	inner = nla_nest_start(message, HPKM_A_PLACED_OBJECT);
	nla_put_string(message, HPKM_A_OBJECT_NAME, "daemon");
	nla_nest_end(message, inner);
	nla_nest_end(message, patch);
	nla_nest_end(message, target);
	return message;
}

/* What was reverted and stays: below the others, and on top of nothing. */
static void test_retiring(void)
{
	struct hpkm_list patches = { 0 }, targets = { 0 };
	struct hpkm_failure none = { 0 };
	struct talk talk = { .targets = &targets };
	char *text;

	feed(&talk, placed_message(12, "one", 1, "f", true));
	feed(&talk, retiring_message(12, "one"));
	feed(&talk, retiring_message(12, "one"));
	feed(&talk, placed_message(12, "one", 1, "g", false));
	feed(&talk, retiring_message(13, "two"));
	hpkm_patched_sort(&targets);
	capture_start();
	hpkm_report_list(false, &patches, &targets, 2, &none);
	text = capture_end();
	same(text,
	     "no patch is loaded\n"
	     "processes patched:\n"
	     "  12 daemon\n"
	     "    patch one, version 1, order 1, top\n"
	     "      object daemon, build-id 01abff, base 0x400000, span 0x300000, span-size 8192\n"
	     "      func f, old 0x401000, new 0x301000, slot 0x302000\n"
	     "      func g, old 0x401000, new 0x301000, slot 0x302000\n"
	     "    patch one, version 1, retiring\n"
	     "      object daemon\n"
	     "    patch one, version 1, retiring\n"
	     "      object daemon\n"
	     "  13 daemon\n"
	     "    patch two, version 1, retiring\n"
	     "      object daemon\n"
	     "module in use: 2 processes are patched, so 'rmmod hpkm' is refused until they are reverted or end\n",
	     "patches that retire");
	free(text);
	capture_start();
	hpkm_report_list(true, &patches, &targets, 2, &none);
	text = capture_end();
	ok(strstr(text, "\"name\":\"two\",\n"
		  "          \"version\":\"1\",\n"
		  "          \"order\":0,\n"
		  "          \"top\":false,\n"
		  "          \"retiring\":true,\n"), "the same as JSON");
	free(text);
	hpkm_list_clear(&targets, &hpkm_patched_record);
}

static void test_dump(void)
{
	struct hpkm_list patches = { 0 }, targets = { 0 };
	struct hpkm_failure none = { 0 };
	struct talk talk = { .patches = &patches, .targets = &targets };
	struct nl_msg *message;
	char *text;

	message = start(HPKM_CMD_PATCH_GET, SEQ);
	nla_put_string(message, HPKM_A_PATCH_NAME, "two");
	nla_put_string(message, HPKM_A_PATCH_VERSION, "1");
	nla_put_string(message, HPKM_A_PATCH_DESCRIPTION, "a line\nanother");
	nla_put_u64(message, HPKM_A_PATCH_SIZE, 4096);
	nla_put_u32(message, HPKM_A_PATCH_FUNCS, 2);
	nla_put_u32(message, HPKM_A_PATCH_USES, 1);
	feed(&talk, message);
	feed(&talk, placed_message(12, "two", 2, "f", true));
	feed(&talk, placed_message(12, "one", 1, "f", true));
	feed(&talk, placed_message(3, "one", 1, "f", true));
	feed(&talk, placed_message(12, "two", 2, "g", false));
	hpkm_patched_sort(&targets);
	capture_start();
	hpkm_report_list(false, &patches, &targets, 2, &none);
	text = capture_end();
	same(text,
	     "patches loaded:\n"
	     "  two, version 1, funcs 2, size 4096, uses 1\n"
	     "    a line\\x0aanother\n"
	     "processes patched:\n"
	     "  3 daemon\n"
	     "    patch one, version 1, order 1, top\n"
	     "      object daemon, build-id 01abff, base 0x400000, span 0x300000, span-size 8192\n"
	     "      func f, old 0x401000, new 0x301000, slot 0x302000\n"
	     "  12 daemon\n"
	     "    patch two, version 1, order 2, top\n"
	     "      object daemon, build-id 01abff, base 0x400000, span 0x300000, span-size 8192\n"
	     "      func f, old 0x401000, new 0x301000, slot 0x302000, active\n"
	     "      func g, old 0x401000, new 0x301000, slot 0x302000, active\n"
	     "    patch one, version 1, order 1\n"
	     "      object daemon, build-id 01abff, base 0x400000, span 0x300000, span-size 8192\n"
	     "      func f, old 0x401000, new 0x301000, slot 0x302000\n"
	     "module in use: 2 processes are patched, so 'rmmod hpkm' is refused until they are reverted or end\n",
	     "list as text");
	free(text);
	capture_start();
	hpkm_report_list(true, &patches, &targets, 2, &none);
	text = capture_end();
	ok(strstr(text, "\"name\":\"two\",\n"
		  "          \"version\":\"1\",\n"
		  "          \"order\":2,\n"
		  "          \"top\":true,\n"
		  "          \"retiring\":false,\n"
		  "          \"objects\":["), "list as JSON: patch");
	ok(strstr(text, "\"slot\":\"0x302000\",\n"
		  "              \"active\":true\n"), "list as JSON: func");
	ok(strstr(text, "\"module_in_use\":true"), "list as JSON: in use");
	free(text);
	hpkm_list_clear(&patches, &hpkm_loaded_record);
	hpkm_list_clear(&targets, &hpkm_patched_record);
}

static void print_notice(struct hpkm_notice *notice, void *data)
{
	hpkm_report_notice(*(bool *)data, notice);
}

static void test_notice(void)
{
	bool json = true;
	struct talk talk = { .notice = print_notice, .data = &json };
	struct nl_msg *message;
	char *text;

	for (int i = 0; i < 2; i++) {
		struct nlattr *nest;

		json = !i;
		message = start(HPKM_CMD_NOTICE, 0);
		nla_put_u32(message, HPKM_A_EVENT, HPKM_EVENT_GONE);
		nla_put_string(message, HPKM_A_PATCH_NAME, "fix");
		nest = nla_nest_start(message, HPKM_A_TARGET);
		nla_put_u32(message, HPKM_A_TARGET_PID, 9);
		nla_put_string(message, HPKM_A_TARGET_COMM, "d");
		nla_nest_end(message, nest);
		capture_start();
		feed(&talk, message);
		text = capture_end();
		if (json)
			ok(!strncmp(text, "{\"time\":\"20", 11) &&
			   strstr(text, "\"event\":\"gone\",\"patch\":\"fix\",\"target\":{\"pid\":9,\"comm\":\"d\"}}\n"),
			   "notice as JSON, with what was sent only");
		else
			ok(strstr(text, " gone fix in 9 d\n"),
			   "notice as text");
		free(text);
	}
	message = start(CTRL_CMD_DELFAMILY, 0);
	nlmsg_hdr(message)->nlmsg_type = GENL_ID_CTRL;
	nla_put_u16(message, CTRL_ATTR_FAMILY_ID, FAMILY);
	feed(&talk, message);
	ok(talk.unloaded, "the family's end is seen");
}

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

/* Questions */

#define WORDS	3

static struct nl_msg *doubt_message(uint32_t seq, uint32_t request,
				    uint32_t tid, int registers)
{
	struct nl_msg *message = start(HPKM_CMD_DOUBT, seq);
	uint64_t values[HPKM_NUMBERS_MAX + 1] = { 5, 6, 7 };
	struct nlattr *nest, *word;

	nla_put_string(message, HPKM_A_PATCH_NAME, "fix");
	nla_put_u32(message, HPKM_A_REQUEST, request);
	nest = nla_nest_start(message, HPKM_A_DOUBT);
	nla_put_u32(message, HPKM_A_DOUBT_PID, 12);
	nla_put_u32(message, HPKM_A_DOUBT_TID, tid);
	nla_put_u64(message, HPKM_A_DOUBT_SWITCHES, 33);
	nla_put_u64(message, HPKM_A_DOUBT_SP, 0x7000);
	nla_put(message, HPKM_A_DOUBT_REGS, registers, values);
	for (int i = 0; i < WORDS; i++) {
		word = nla_nest_start(message, HPKM_A_DOUBT_WORD);
		nla_put_u64(message, HPKM_A_WORD_ADDRESS, 0x7000 + 8 * i);
		nla_put_u64(message, HPKM_A_WORD_VALUE, 0x400000 + i);
		nla_nest_end(message, word);
	}
	nla_nest_end(message, nest);
	return message;
}

static void test_doubt(void)
{
	struct hpkm_list doubts = { 0 };
	struct hpkm_outcome outcome = { 0 };
	struct talk talk = { .outcome = &outcome, .doubts = &doubts };
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
	ok(doubts.count == 1 && !outcome.targets.count, "nothing is kept of it");
	hpkm_list_clear(&doubts, &hpkm_doubt_record);
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
	seeds = argv[1];
	test_outcome();
	test_blocked();
	test_diagnosis();
	test_look();
	test_verdicts();
	test_errors();
	test_malformed();
	test_dump();
	test_retiring();
	test_notice();
	test_transition();
	test_doubt();
	test_answer();
	test_refusal();
	test_interrupted_dump();
	test_failures();
	test_signal();
	printf("1..%d\n", tests);
	return failures != 0;
}
