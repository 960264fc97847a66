// SPDX-License-Identifier: GPL-2.0
/*
 * Answers to the module's questions about words on stacks: those that are
 * right, those that are about something else, and those that come too late.
 * What hpkm-apply answers is tested by stale.sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "genl.h"
#include "patience.h"
#include "tap.h"

/* Too short for who is in the way, and long enough to be asked. */
#define SHORT_MS	(patience() * 1000 / 60)
#define LONG_MS		(patience() * 1000)

static char *image;
static size_t image_size;

struct target {
	pid_t pid;
	int in, out;
};

/* A line of its output, or an empty one when none comes in time. */
static void read_line(struct target *t, char *line, size_t size)
{
	struct pollfd poll_fd = { .fd = t->out, .events = POLLIN };
	size_t n = 0;

	while (n < size - 1 && poll(&poll_fd, 1, patience() * 1000) == 1 &&
	       read(t->out, line + n, 1) == 1)
		if (line[n++] == '\n')
			break;
	line[n] = 0;
}

/* Does it sleep in read()? */
static bool is_asleep(pid_t pid)
{
	char path[64], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		exit(1);
	close(fd);
	return !strncmp(text, "0 ", 2);
}

static void await_sleep(struct target *t)
{
	struct timespec tick = { .tv_nsec = 10000000 };
	time_t end = time(NULL) + patience();
	char line[64];

	read_line(t, line, sizeof(line));
	if (strncmp(line, "asleep ", 7)) {
		tap_note("the target says '%s'", line);
		exit(1);
	}
	while (!is_asleep(t->pid) && time(NULL) < end)
		nanosleep(&tick, NULL);
}

static void start(struct target *t, const char *name)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		exit(1);
	t->pid = fork();
	if (!t->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(built_path("stale/load"), "stale", name, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	t->in = in[1];
	t->out = out[0];
	await_sleep(t);
}

static void wake(struct target *t)
{
	if (write(t->in, "", 1) != 1)
		exit(1);
}

static void end(struct target *t)
{
	kill(t->pid, SIGKILL);
	waitpid(t->pid, NULL, 0);
	close(t->in);
	close(t->out);
}

/* Returns its sequence number. */
static uint32_t begin(struct genl *genl, int command, pid_t pid,
		      uint32_t wait_ms)
{
	struct message m;

	message_begin(&m, command);
	message_text(&m, HPKM_A_PATCH_NAME, "v2");
	message_target(&m, pid, 0);
	message_u32(&m, HPKM_A_WAIT, wait_ms);
	if (genl_ask(genl, &m, 0)) {
		tap_note("%s", genl->words);
		exit(1);
	}
	return genl->seq;
}

static int answer(struct genl *genl, uint32_t request, const struct doubt *d)
{
	struct message m, nest, word;

	message_begin(&word, 0);
	message_u64(&word, HPKM_A_WORD_ADDRESS, d->address);
	message_u64(&word, HPKM_A_WORD_VALUE, d->value);
	message_begin(&nest, 0);
	message_u32(&nest, HPKM_A_DOUBT_TID, d->tid);
	message_u64(&nest, HPKM_A_DOUBT_SWITCHES, d->switches);
	message_u64(&nest, HPKM_A_DOUBT_SP, d->sp);
	message_put(&nest, HPKM_A_DOUBT_WORD | NLA_F_NESTED, word.attrs,
		    word.header.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
	message_begin(&m, HPKM_CMD_ANSWER);
	message_u32(&m, HPKM_A_REQUEST, request);
	message_put(&m, HPKM_A_DOUBT | NLA_F_NESTED, nest.attrs,
		    nest.header.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
	return genl_ask(genl, &m, 0);
}

/* One word that is stale; @change makes the answer be about another. */
static void check_answer(struct target *t, struct genl *genl,
			 void (*change)(struct doubt *doubt), int want,
			 const char *text)
{
	int wait = want == HPKM_STATUS_BUSY ? SHORT_MS : LONG_MS;
	struct doubt doubt = { .tid = 0 };
	int status, ret = 0;
	uint32_t request;
	bool came;

	/* Again with more time, if that was not enough to ask and answer. */
	do {
		request = begin(genl, HPKM_CMD_APPLY, t->pid, wait);
		came = genl_doubt(genl, &doubt);
		if (came && change) {
			change(&doubt);
			ret = answer(genl, request, &doubt);
		}
		genl_outcome(genl, &status);
		wait *= 2;
	} while ((!came || ret == -ENOENT) && wait < LONG_MS);
	tap_result(came && !ret && status == want, "%s: asked %d, %d, status %d",
		   text, came, ret, status);
}

static void as_it_is(struct doubt *doubt)
{
}

static void other_sp(struct doubt *doubt)
{
	doubt->sp += 8;
}

static void other_switches(struct doubt *doubt)
{
	doubt->switches++;
}

static void other_thread(struct doubt *doubt)
{
	doubt->tid++;
}

static void other_address(struct doubt *doubt)
{
	doubt->address += 8;
}

static void other_value(struct doubt *doubt)
{
	doubt->value++;
}

static void test_words(void)
{
	struct target t;
	struct genl genl;
	int status;

	start(&t, "turn");
	if (!genl_open(&genl) || genl_load(&genl, image, image_size))
		exit(1);
	check_answer(&t, &genl, NULL, HPKM_STATUS_BUSY, "no answer");
	check_answer(&t, &genl, other_sp, HPKM_STATUS_BUSY,
		     "an answer about another stack pointer");
	check_answer(&t, &genl, other_switches, HPKM_STATUS_BUSY,
		     "about another time");
	check_answer(&t, &genl, other_thread, HPKM_STATUS_BUSY,
		     "about another thread");
	check_answer(&t, &genl, other_address, HPKM_STATUS_BUSY,
		     "about another place");
	check_answer(&t, &genl, other_value, HPKM_STATUS_BUSY,
		     "about another word");
	check_answer(&t, &genl, as_it_is, HPKM_STATUS_APPLIED,
		     "about what was asked");
	begin(&genl, HPKM_CMD_REVERT, t.pid, LONG_MS);
	genl_outcome(&genl, &status);
	tap_result(status == HPKM_STATUS_REVERTED, "back again: status %d",
		   status);
	genl_close(&genl);
	end(&t);
}

/* The thread goes on, to where the same word is a return address. */
static void test_late(void)
{
	struct doubt doubt = { .tid = 0 }, again = { .tid = 0 };
	int wait, status, ret;
	struct target t;
	struct genl genl;
	uint32_t request;
	bool came, same;

	if (!genl_open(&genl) || genl_load(&genl, image, image_size))
		exit(1);
	/* As in check_answer(). */
	for (wait = 3 * SHORT_MS;; wait *= 2) {
		start(&t, "turn");
		request = begin(&genl, HPKM_CMD_APPLY, t.pid, wait);
		came = genl_doubt(&genl, &doubt);
		wake(&t);
		await_sleep(&t);
		ret = answer(&genl, request, &doubt);
		same = genl_doubt(&genl, &again) && again.sp == doubt.sp &&
		       again.address == doubt.address &&
		       again.value == doubt.value;
		genl_outcome(&genl, &status);
		if (same || 2 * wait > LONG_MS)
			break;
		end(&t);
	}
	tap_result(came && same,
		   "a thread that woke up, and sleeps with the same word");
	tap_result(!ret && status == HPKM_STATUS_BUSY,
		   "the answer is not taken for it: %d, status %d", ret,
		   status);
	ret = answer(&genl, request, &again);
	tap_result(ret == -ENOENT, "an answer after the end: %d", ret);
	genl_close(&genl);
	end(&t);
}

/* Who did not ask has nothing to say. */
static void test_other_client(void)
{
	struct genl genl, other;
	struct doubt doubt;
	struct target t;
	uint32_t request;
	int wait, status, ret = 0;

	start(&t, "turn");
	if (!genl_open(&genl) || genl_load(&genl, image, image_size) ||
	    !genl_open(&other))
		exit(1);
	for (wait = SHORT_MS; !ret && wait < LONG_MS; wait *= 2) {
		request = begin(&genl, HPKM_CMD_APPLY, t.pid, wait);
		if (genl_doubt(&genl, &doubt))
			ret = answer(&other, request, &doubt);
		genl_outcome(&genl, &status);
	}
	tap_result(ret == -ENOENT && status == HPKM_STATUS_BUSY,
		   "an answer of another client: %d, status %d", ret, status);
	genl_close(&other);
	genl_close(&genl);
	end(&t);
}

int main(void)
{
	struct genl genl;

	image = read_whole(built_path("stale/v2.image"), &image_size);
	if (!image)
		tap_skip_all("stale/v2.image is missing");
	if (!genl_open(&genl))
		tap_skip_all("the module is not loaded");
	genl_close(&genl);
	tap_plan(12);
	test_words();
	test_late();
	test_other_client();
	return tap_exit();
}
