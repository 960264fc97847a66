// SPDX-License-Identifier: GPL-2.0
/*
 * Crafted replies of the kernel, as the report shows them.  Prints TAP; with
 * the name of a directory it leaves seeds for nl_fuzz there.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/hpkm.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "blocked.h"
#include "check.h"
#include "failure.h"
#include "hpkm.h"
#include "messages.h"
#include "process.h"
#include "report.h"
#include "request.h"
#include "run.h"
#include "syscall.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

static void test_outcome(void)
{
	struct hpkm_outcome outcome = { 0 };
	struct hpkm_failure none = { 0 };
	struct hpkm_request request = { 0 };
	struct hpkm_talk talk = { .outcome = &outcome };
	char *text;

	/* The acknowledgement comes last. */
	ok(!feed(&talk, result_message(SEQ, 12, "web", HPKM_STATUS_APPLIED,
				       NULL, false)), "result is taken");
	ok(!feed(&talk, result_message(0, 13, "a\xff\"\x1b",
				       HPKM_STATUS_ALREADY, NULL, false)),
	   "result with sequence number 0 is taken");
	ok(!feed(&talk, result_message(SEQ + 1, 14, "web", HPKM_STATUS_ERROR,
				       NULL, false)) &&
	   outcome.targets.count == 2,
	   "result of another request is passed over");
	ok(!feed(&talk, done_message(0, HPKM_STATUS_APPLIED, 2)) && talk.done,
	   "done is taken");
	ok(!hpkm_talk_over(&talk), "not over before the acknowledgement");
	ok(!feed(&talk, error_message(SEQ, 0, NULL, true, 0)) &&
	   hpkm_talk_over(&talk), "over with the acknowledgement");
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
	struct hpkm_talk talk = { .outcome = &outcome };
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

/* What was reverted and stays: below the others, and on top of nothing. */
static void test_retiring(void)
{
	struct hpkm_list patches = { 0 }, targets = { 0 };
	struct hpkm_failure none = { 0 };
	struct hpkm_talk talk = { .targets = &targets };
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
	struct hpkm_talk talk = { .patches = &patches, .targets = &targets };
	struct nl_msg *message;
	char *text;

	message = start(HPKM_CMD_PATCH_GET, SEQ);
	nla_put_string(message, HPKM_A_PATCH_NAME, "two");
	nla_put_string(message, HPKM_A_PATCH_VERSION, "");
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
	     "  two, funcs 2, size 4096, uses 1\n"
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
	struct hpkm_talk talk = { .notice = print_notice, .data = &json };
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

int main(int argc, char **argv)
{
	seeds = argv[1];
	test_outcome();
	test_blocked();
	test_diagnosis();
	test_look();
	test_dump();
	test_retiring();
	test_notice();
	return finish();
}
