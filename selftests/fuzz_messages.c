// SPDX-License-Identifier: GPL-2.0
/*
 * Messages and images that are nearly right, from several clients at once,
 * which close at any moment.  What each is answered does not matter: the
 * target goes on, nothing is left behind, and the kernel has nothing to say.
 *
 * HPKM_FUZZ_SECONDS says how long (5), HPKM_FUZZ_SEED where to begin.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hpkm/image.h>

#include "genl.h"
#include "patience.h"
#include "subject.h"
#include "tap.h"

#define CLIENTS		4
/* A client goes after so many messages, on average. */
#define MESSAGES	40

static struct subject subject;
static struct genl clients[CLIENTS];
static bool opened[CLIENTS];
static char *image;
static size_t image_size;
static int image_fd, bad_fd;
static pid_t child;
static unsigned long sent, accepted, loaded, closed;

static unsigned int chance(unsigned int n)
{
	return rand() % n;
}

static uint64_t number(void)
{
	static const uint64_t edges[] = {
		0, 1, 2, 7, 8, 63, 64, 4095, 4096, 1 << 20, INT32_MAX,
		UINT32_MAX, 1ULL << 32, 1ULL << 47, INT64_MAX, UINT64_MAX,
	};
	uint64_t value = edges[chance(sizeof(edges) / sizeof(*edges))];

	return chance(3) ? value : value + rand();
}

/* The image with a few bytes changed, under a name that is never applied. */
static void make_bad_image(void)
{
	struct hpkm_image_header *h = malloc(image_size);
	char *bytes = (char *)h, *strings;

	memcpy(h, image, image_size);
	strings = bytes + h->strings.offset;
	for (uint32_t i = 1; i < h->strings.count; i++)
		if (!strings[i - 1] && !strcmp(&strings[i], "slow"))
			h->name = i;
	for (int i = chance(4); i--;) {
		size_t at = chance(2) ? chance(sizeof(*h)) :
				       chance(image_size);

		if (chance(2))
			bytes[at] ^= 1 << chance(8);
		else
			bytes[at] = number();
	}
	if (pwrite(bad_fd, h, image_size, 0) != (ssize_t)image_size)
		exit(1);
	free(h);
}

static void put_nest(struct message *to, int type, const struct message *nest)
{
	message_put(to, type | NLA_F_NESTED, nest->attrs,
		    nest->header.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
}

static void make_load(struct message *m)
{
	int fd = image_fd;

	message_begin(m, HPKM_CMD_LOAD);
	if (chance(3)) {
		make_bad_image();
		fd = bad_fd;
	}
	message_u32(m, HPKM_A_FD, chance(20) ? fd : (int)chance(12));
	message_u64(m, HPKM_A_OFFSET, chance(20) ? 0 : number());
	message_u64(m, HPKM_A_SIZE, chance(20) ? image_size : number());
}

static pid_t some_pid(void)
{
	switch (chance(8)) {
	case 0:
		return child;
	case 1:
		return getpid();
	case 2:
		return 1 + chance(300);
	case 3:
		return number();
	default:
		return subject.pid;
	}
}

static void put_binding(struct message *m)
{
	struct message binding, bound;
	char id[64] = "an id";

	message_begin(&binding, 0);
	message_u32(&binding, HPKM_A_BINDING_ID_KIND, 1 + chance(2));
	message_put(&binding, HPKM_A_BINDING_ID, id, chance(4) ? 20 : 32);
	message_u64(&binding, HPKM_A_BINDING_ID_OFFSET, number());
	for (int i = chance(3); i--;) {
		message_begin(&bound, 0);
		message_u32(&bound, HPKM_A_BOUND_EXTERN, number());
		message_u64(&bound, HPKM_A_BOUND_OFFSET, number());
		put_nest(&binding, HPKM_A_BINDING_BOUND, &bound);
	}
	put_nest(m, HPKM_A_BINDING, &binding);
}

static void make_request(struct message *m)
{
	message_begin(m, chance(2) ? HPKM_CMD_APPLY : HPKM_CMD_REVERT);
	message_text(m, HPKM_A_PATCH_NAME, "v2");
	if (!chance(8))
		message_put(m, HPKM_A_ALL, NULL, 0);
	else
		for (int i = 1 + chance(3); i--;)
			message_target(m, some_pid(), chance(20) ? 0 :
				       number());
	if (!chance(4))
		message_put(m, HPKM_A_EACH, NULL, 0);
	if (!chance(4))
		message_put(m, HPKM_A_DRY_RUN, NULL, 0);
	if (!chance(8))
		message_put(m, HPKM_A_SKIP_HOOKS, NULL, 0);
	/* To look through the heap takes long. */
	if (!chance(10))
		message_u32(m, HPKM_A_CONSISTENCY, chance(10) ?
			    chance(HPKM_CONSISTENCY_HEAP) :
			    HPKM_CONSISTENCY_HEAP);
	if (!chance(4))
		message_u32(m, HPKM_A_DISTANCE, number());
	if (chance(4))
		message_u32(m, HPKM_A_WAIT, chance(200));
	if (!chance(8))
		put_binding(m);
}

static void make_answer(struct message *m, const struct genl *genl)
{
	struct message doubt, word;

	message_begin(&doubt, 0);
	message_u32(&doubt, HPKM_A_DOUBT_TID, some_pid());
	message_u64(&doubt, HPKM_A_DOUBT_SWITCHES, number());
	message_u64(&doubt, HPKM_A_DOUBT_SP, number());
	for (int i = chance(100); i--;) {
		message_begin(&word, 0);
		message_u64(&word, HPKM_A_WORD_ADDRESS, number());
		message_u64(&word, HPKM_A_WORD_VALUE, number());
		put_nest(&doubt, HPKM_A_DOUBT_WORD, &word);
	}
	message_begin(m, HPKM_CMD_ANSWER);
	message_u32(m, HPKM_A_REQUEST, genl->seq - chance(4));
	put_nest(m, HPKM_A_DOUBT, &doubt);
}

static void make_anything(struct message *m)
{
	char data[64];

	message_begin(m, chance(HPKM_CMD_MAX + 3));
	for (int n = chance(8); n--;) {
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = chance(4) ? 0 : rand();
		message_put(m, chance(HPKM_A_MAX + 3) |
			    (chance(3) ? 0 : NLA_F_NESTED), data,
			    chance(sizeof(data)));
	}
}

/* Change some bytes behind the header, or cut some off. */
static void spoil(struct message *m)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	size_t size = m->header.nlmsg_len - head;

	for (int i = chance(4); i-- && size;) {
		size_t at = chance(size);

		if (chance(2))
			m->attrs[at] ^= 1 << chance(8);
		else
			m->attrs[at] = number();
	}
	if (!chance(4) && size)
		m->header.nlmsg_len = head + chance(size);
	if (!chance(20))
		m->genl.version = rand();
	if (!chance(20))
		m->genl.cmd = rand();
}

/* An old child ends; a new one is there, for a moment. */
static void change_child(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	child = fork();
	if (!child) {
		for (;;)
			pause();
	}
}

/* Without waiting for what is answered. */
static void send_only(struct genl *genl, struct message *m, int flags)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	m->header.nlmsg_seq = ++genl->seq;
	m->header.nlmsg_type = genl->family;
	m->header.nlmsg_flags = NLM_F_REQUEST | flags;
	sendto(genl->fd, m, m->header.nlmsg_len, MSG_DONTWAIT, (void *)&kernel,
	       sizeof(kernel));
}

static void one_message(void)
{
	int n = chance(CLIENTS), flags = 0;
	struct genl *genl = &clients[n];
	struct message m;

	if (!opened[n]) {
		if (!genl_open(genl))
			exit(1);
		opened[n] = true;
	}
	switch (chance(8)) {
	case 0:
	case 1:
		make_load(&m);
		break;
	case 2:
	case 3:
	case 4:
		make_request(&m);
		break;
	case 5:
		make_answer(&m, genl);
		break;
	case 6:
		message_begin(&m, chance(2) ? HPKM_CMD_PATCH_GET :
					      HPKM_CMD_TARGET_GET);
		flags = NLM_F_DUMP;
		break;
	default:
		make_anything(&m);
	}
	if (!chance(3))
		spoil(&m);
	sent++;
	if (chance(MESSAGES)) {
		bool good = !genl_ask(genl, &m, flags);

		accepted += good;
		loaded += good && m.genl.cmd == HPKM_CMD_LOAD;
		return;
	}
	send_only(genl, &m, flags);
	genl_close(genl);
	opened[n] = false;
	closed++;
}

static long setting(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? atol(text) : otherwise;
}

/* The same in each run with one seed, as far as the machine lets it be. */
static void fuzz(time_t seconds)
{
	time_t end = time(NULL) + seconds;

	while (time(NULL) < end) {
		if (!chance(200))
			change_child();
		one_message();
	}
	for (int i = 0; i < CLIENTS; i++)
		if (opened[i])
			genl_close(&clients[i]);
	if (child > 0)
		kill(child, SIGKILL);
}

static int revert(struct genl *genl)
{
	struct message m;
	int status = -1;

	message_begin(&m, HPKM_CMD_REVERT);
	message_text(&m, HPKM_A_PATCH_NAME, "v2");
	message_target(&m, subject.pid, 0);
	message_u32(&m, HPKM_A_WAIT, patience() * 1000);
	if (!genl_ask(genl, &m, 0))
		genl_outcome(genl, &status);
	return status;
}

int main(void)
{
	long seconds = setting("HPKM_FUZZ_SECONDS", 5);
	long seed = setting("HPKM_FUZZ_SEED", time(NULL));
	struct genl keeper;
	int status;

	image = read_whole(built_path("pie/v2.image"), &image_size);
	if (!image)
		tap_skip_all("pie/v2.image is missing");
	if (!genl_open(&keeper))
		tap_skip_all("the module is not loaded");
	tap_plan(4);
	image_fd = memfd_create("image", MFD_CLOEXEC);
	bad_fd = memfd_create("bad image", MFD_CLOEXEC);
	if (write(image_fd, image, image_size) != (ssize_t)image_size ||
	    !subject_start(&subject, 2, 10))
		return 1;
	/* Nobody else has the name meanwhile. */
	if (genl_load(&keeper, image, image_size))
		return 1;
	srand(seed);
	tap_note("seed %ld", seed);
	fuzz(seconds);
	tap_note("%lu messages, %lu accepted, %lu loaded, %lu clients closed",
		 sent, accepted, loaded, closed);
	tap_result(sent > 100 && accepted > sent / 20 && loaded,
		   "random messages for %ld s", seconds);
	status = revert(&keeper);
	tap_result(status == HPKM_STATUS_REVERTED ||
		   status == HPKM_STATUS_ALREADY,
		   "afterwards the target is served: status %d", status);
	/* With ip consistency an old version may have met a new one. */
	tap_note("%lu answers of neither version",
		 (unsigned long)subject.stats->process[0].wrong);
	tap_result(subject_runs(&subject, 1) && !subject.stats->early,
		   "it runs as before, and no system call has returned");
	genl_close(&keeper);
	tap_result(soon(nothing_left), "nothing is left");
	subject_end(&subject);
	return tap_exit();
}
