// SPDX-License-Identifier: GPL-2.0
/*
 * What the operator asks for (stage 5).  One table of options serves all
 * commands; each takes a part of it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/hpkm.h>

#include "hpkm.h"
#include "request.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

/* The limits that the protocol puts on these attributes. */
#define WAIT_MS_MAX	86400000
#define WAIT_MS_DEFAULT	10000
#define DISTANCE_MAX	4096
#define DISTANCE_DEFAULT 8

/* What getopt_long returns for --help: past every index of the table. */
#define OPTION_HELP	512
#define OPTION_BASE	256

static bool add_pid(struct hpkm_request *request, unsigned long pid)
{
	struct hpkm_process *pids;

	for (size_t i = 0; i < request->pids_count; i++)
		if (request->pids[i].pid == pid)
			return true;
	pids = reallocarray(request->pids, request->pids_count + 1,
			    sizeof(*pids));
	if (!pids)
		return false;
	request->pids = pids;
	pids[request->pids_count++] = (struct hpkm_process){ .pid = pid };
	return true;
}

static bool is_pids(const char *text)
{
	return *text && !text[strspn(text, "0123456789, ")];
}

/* "12", "12,13", and "12 13", as a quoted $(pidof NAME) is. */
static bool take_pids(struct hpkm_request *request, const char *text)
{
	if (!is_pids(text))
		return false;
	do {
		unsigned long pid;
		char *end;

		if (*text < '0' || *text > '9')
			return false;
		errno = 0;
		pid = strtoul(text, &end, 10);
		if (errno || !pid || pid > INT32_MAX)
			return false;
		if (!add_pid(request, pid))
			return false;
		text = *end ? end + 1 : end;
	} while (*text);
	return true;
}

static bool take_all(struct hpkm_request *request, const char *text)
{
	request->all = true;
	return true;
}

static bool take_each(struct hpkm_request *request, const char *text)
{
	request->each = true;
	return true;
}

static bool take_dry_run(struct hpkm_request *request, const char *text)
{
	request->dry_run = true;
	return true;
}

static bool take_skip_hooks(struct hpkm_request *request, const char *text)
{
	request->skip_hooks = true;
	return true;
}

static bool take_json(struct hpkm_request *request, const char *text)
{
	request->json = true;
	return true;
}

static bool take_wait(struct hpkm_request *request, const char *text)
{
	double seconds;
	char *end;

	seconds = strtod(text, &end);
	/* Written so that "nan" fails too. */
	if (end == text || *end ||
	    !(seconds >= 0 && seconds <= WAIT_MS_MAX / 1000))
		return false;
	request->wait_ms = seconds * 1000;
	/* Only 0 means not to wait at all. */
	if (!request->wait_ms && seconds > 0)
		request->wait_ms = 1;
	return true;
}

static const char *const consistencies[] = {
	[HPKM_CONSISTENCY_STACK] = "stack",
	[HPKM_CONSISTENCY_IP] = "ip",
	[HPKM_CONSISTENCY_HEAP] = "heap",
};

static bool take_consistency(struct hpkm_request *request, const char *text)
{
	for (size_t i = 0; i < COUNT(consistencies); i++) {
		if (strcmp(consistencies[i], text))
			continue;
		request->consistency = i;
		return true;
	}
	return false;
}

static bool take_distance(struct hpkm_request *request, const char *text)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || *end || value > DISTANCE_MAX)
		return false;
	request->distance = value;
	return true;
}

static const struct option_entry {
	unsigned int takes;
	const char *name;
	const char *value;	/* what its value is; NULL: it has none */
	bool (*take)(struct hpkm_request *request, const char *text);
	const char *help;
} options[] = {
	/* The first, as hpkm_request_parse() relies on. */
	{ HPKM_TAKES_PID, "pid", "PID...", take_pids,
	  "these processes; may be given several times" },
	{ HPKM_TAKES_ALL, "all", NULL, take_all,
	  "every process that the patch is for, or is in" },
	{ HPKM_TAKES_EACH, "each", NULL, take_each,
	  "each process on its own; without it, all of them switch\n"
	  "                           in one moment, or none does" },
	{ HPKM_TAKES_DRY_RUN, "dry-run", NULL, take_dry_run,
	  "do all but the switch, then undo it" },
	{ HPKM_TAKES_WAIT, "wait", "SECONDS", take_wait,
	  "how long to try when threads are in the way (10);\n"
	  "                           fractions are taken, 0 tries once" },
	{ HPKM_TAKES_CONSISTENCY, "consistency", "WHAT", take_consistency,
	  "what must hold:\n"
	  "                           stack: no thread is in, or returns into, a\n"
	  "                           function that is replaced (the default);\n"
	  "                           ip: none stands where the jump is written;\n"
	  "                           heap: as stack, and no memory of the process\n"
	  "                           holds an address in such a function" },
	{ HPKM_TAKES_DISTANCE, "distance", "BYTES", take_distance,
	  "bytes past the start of a function in which no\n"
	  "                           thread may stand (8; at most 4096)" },
	{ HPKM_TAKES_SKIP_HOOKS, "skip-hooks", NULL, take_skip_hooks,
	  "revert without running the patch's revert hooks" },
	{ HPKM_TAKES_JSON, "json", NULL, take_json,
	  "results as JSON on standard output" },
};

static void print_usage(const struct hpkm_usage *usage, FILE *to)
{
	fprintf(to, "usage: hpkm-%s", usage->command);
	if (usage->argument)
		fprintf(to, " %s", usage->argument);
	if (usage->takes & HPKM_NEEDS_TARGETS)
		fprintf(to, " {--pid PID... | --all}");
	fprintf(to, " [OPTIONS]\n\n%s\n\n", usage->help);
	for (size_t i = 0; i < COUNT(options); i++) {
		char left[32];

		if (!(usage->takes & options[i].takes))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", options[i].name,
			 options[i].value ? " " : "",
			 options[i].value ? options[i].value : "");
		fprintf(to, "  %-24s %s\n", left, options[i].help);
	}
	fprintf(to, "  %-24s %s\n", "--help", "this text");
}

static void fill_options(const struct hpkm_usage *usage, struct option *longs)
{
	*longs++ = (struct option){ "help", no_argument, NULL, OPTION_HELP };
	for (size_t i = 0; i < COUNT(options); i++) {
		if (!(usage->takes & options[i].takes))
			continue;
		*longs++ = (struct option){
			.name = options[i].name,
			.has_arg = options[i].value ? required_argument :
						      no_argument,
			.val = OPTION_BASE + i,
		};
	}
	*longs = (struct option){ 0 };
}

/* Return: whether the request is complete; says what is not. */
static bool check_request(const struct hpkm_usage *usage,
			  const struct hpkm_request *request)
{
	if (usage->argument && !request->argument) {
		hpkm_error("%s is missing", usage->argument);
		return false;
	}
	if (!(usage->takes & HPKM_NEEDS_TARGETS))
		return true;
	if (request->all && request->pids_count) {
		hpkm_error("--pid and --all exclude each other");
		return false;
	}
	if (!request->all && !request->pids_count) {
		hpkm_error("say which processes: --pid PID... or --all");
		return false;
	}
	return true;
}

static bool take_argument(const struct hpkm_usage *usage,
			  struct hpkm_request *request, const char *text)
{
	if (!usage->argument || request->argument) {
		hpkm_error("'%s' is one argument too many", text);
		return false;
	}
	request->argument = text;
	return true;
}

bool hpkm_request_parse(const struct hpkm_usage *usage, int argc, char **argv,
			struct hpkm_request *request, int *status)
{
	struct option longs[COUNT(options) + 2];
	bool pids_follow = false;
	int option;

	*request = (struct hpkm_request){
		.wait_ms = WAIT_MS_DEFAULT,
		.distance = DISTANCE_DEFAULT,
	};
	*status = HPKM_EXIT_USAGE;
	fill_options(usage, longs);
	optind = 0;
	/* "-": arguments come in their order, so "--pid 1 2" can be read. */
	while ((option = getopt_long(argc, argv, "-h", longs, NULL)) != -1) {
		const struct option_entry *entry;

		switch (option) {
		case 'h':
		case OPTION_HELP:
			print_usage(usage, stdout);
			*status = HPKM_EXIT_OK;
			return false;
		case '?':
			goto fail;
		case 1:
			/* "--pid 1 2": the 2 is another value of --pid. */
			if (pids_follow && is_pids(optarg)) {
				option = OPTION_BASE;
				break;
			}
			if (!take_argument(usage, request, optarg))
				goto fail;
			continue;
		}
		entry = &options[option - OPTION_BASE];
		pids_follow = entry->takes == HPKM_TAKES_PID;
		if (!entry->take(request, optarg)) {
			hpkm_error("--%s does not take '%s'", entry->name,
				   optarg);
			goto fail;
		}
	}
	for (; optind < argc; optind++)
		if (!take_argument(usage, request, argv[optind]))
			goto fail;
	if (check_request(usage, request))
		return true;
fail:
	hpkm_detail("'hpkm-%s --help' shows the usage", usage->command);
	return false;
}

void hpkm_request_free(struct hpkm_request *request)
{
	free(request->pids);
	*request = (struct hpkm_request){ 0 };
}
