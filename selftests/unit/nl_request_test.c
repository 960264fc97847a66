// SPDX-License-Identifier: GPL-2.0
/*
 * Command lines of apply and revert, as one struct.  Prints TAP.  It is
 * linked with user/{request,message}.c.
 */
#include <stdio.h>
#include <string.h>

#include <linux/hpkm.h>

#include "hpkm.h"
#include "request.h"

static int tests, failures;

static void ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	failures += !good;
}

static const struct hpkm_usage usage = {
	.command = "apply",
	.argument = "FIX",
	.help = "",
	.takes = HPKM_TAKES_TRANSITION | HPKM_TAKES_SKIP_HOOKS,
};

/*
 * Words of a line; _ is a blank in a word.  Return: the exit status, -1 for a
 * good request.
 */
static int parse(struct hpkm_request *request, const char *line)
{
	static char copy[256];
	char *argv[32] = { "hpkm-apply" };
	int argc = 1, status;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		argv[argc++] = word;
		for (; *word; word++)
			if (*word == '_')
				*word = ' ';
	}
	if (hpkm_request_parse(&usage, argc, argv, request, &status))
		return -1;
	return status;
}

static void test_good(void)
{
	struct hpkm_request request;

	ok(parse(&request, "fix --pid 1 2 3") == -1 &&
	   request.pids_count == 3 && request.pids[2].pid == 3 &&
	   !strcmp(request.argument, "fix") && request.wait_ms == 10000 &&
	   request.distance == 8, "--pid 1 2 3, and what is default");
	hpkm_request_free(&request);
	ok(parse(&request, "--pid 1,2 fix --pid=5") == -1 &&
	   request.pids_count == 3 && request.pids[2].pid == 5,
	   "--pid 1,2 and --pid=5 around the argument");
	hpkm_request_free(&request);
	ok(parse(&request, "fix --pid 1_2,3 4_5") == -1 &&
	   request.pids_count == 5 && request.pids[1].pid == 2 &&
	   request.pids[4].pid == 5, "pids and blanks in one word");
	hpkm_request_free(&request);
	ok(parse(&request, "fix --pid 7 7 --pid 7") == -1 &&
	   request.pids_count == 1, "a pid given again");
	hpkm_request_free(&request);
	ok(parse(&request, "12 --pid 7") == -1 && request.pids_count == 1 &&
	   !strcmp(request.argument, "12"), "an argument of digits, in front");
	hpkm_request_free(&request);
	ok(parse(&request, "--pid 7 --json 12") == -1 &&
	   request.pids_count == 1 && request.json &&
	   !strcmp(request.argument, "12"),
	   "an argument of digits, after another option");
	hpkm_request_free(&request);
	ok(parse(&request, "--all --dry-run --wait 0.25 --consistency ip --distance 0x10 -- --fix") == -1 &&
	   request.all && request.dry_run && request.wait_ms == 250 &&
	   request.consistency == HPKM_CONSISTENCY_IP &&
	   request.distance == 16 && !strcmp(request.argument, "--fix"),
	   "all options, and -- before the argument");
	hpkm_request_free(&request);
	ok(parse(&request, "fix --all --skip-hooks") == -1 &&
	   request.skip_hooks, "--skip-hooks");
	hpkm_request_free(&request);
	ok(parse(&request, "fix --each --all --consistency heap") == -1 &&
	   request.each && request.consistency == HPKM_CONSISTENCY_HEAP,
	   "each on its own, and memory");
	hpkm_request_free(&request);
	ok(parse(&request, "fix --all --wait 0.0001") == -1 &&
	   request.wait_ms == 1, "a short wait is not none");
	hpkm_request_free(&request);
}

static void test_bad(void)
{
	static const char *const lines[] = {
		"", "fix", "--all", "fix --all --pid 1", "fix --pid",
		"fix --pid 0", "fix --pid -1", "fix --pid 1,,2",
		"fix --pid _1", "fix --pid 1__2", "fix --pid _", "fix_1 --pid",
		"fix --pid 99999999999", "fix --pid 1x", "fix --pid 1 2x",
		"fix more --all", "fix --all 1", "fix --all --wait x",
		"fix --all --wait -1", "fix --all --wait nan",
		"fix --all --wait inf", "fix --all --wait 86401",
		"fix --all --distance 4097", "fix --all --distance -1",
		"fix --all --consistency heaps", "fix --all --bogus",
	};
	struct hpkm_request request;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		ok(parse(&request, lines[i]) == HPKM_EXIT_USAGE, lines[i]);
		hpkm_request_free(&request);
	}
}

int main(void)
{
	test_good();
	/* What is said about the bad ones is not of interest here. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	test_bad();
	printf("1..%d\n", tests);
	return failures != 0;
}
