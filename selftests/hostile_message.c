// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that are wrong: attributes missing, twice, of another size, out of
 * range, nested where nothing is; commands that do not exist; files that hold
 * no image.  Each is refused; where the module itself refuses, with words.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hpkm/image.h>

#include "genl.h"
#include "tap.h"

#define RANDOM_MESSAGES	3000

static struct genl genl;
static char *image;
static size_t image_size;
static int image_fd;

/* Whether @error is what is expected: that one, or any when it is 0. */
static void refuse(struct message *message, int error, const char *what)
{
	int ret = genl_ask(&genl, message, 0);
	bool good = ret < 0 && (!error || ret == -error);

	if (!good)
		tap_note("answer %d (%s), expected %d", ret, strerror(-ret),
			 -error);
	tap_result(good && genl.words[0], "%s: %s", what, genl.words);
}

static void load_message(struct message *message, int without)
{
	message_begin(message, HPKM_CMD_LOAD);
	if (without != HPKM_A_FD)
		message_u32(message, HPKM_A_FD, image_fd);
	if (without != HPKM_A_OFFSET)
		message_u64(message, HPKM_A_OFFSET, 0);
	if (without != HPKM_A_SIZE)
		message_u64(message, HPKM_A_SIZE, image_size);
}

static void apply_message(struct message *message, int without)
{
	message_begin(message, HPKM_CMD_APPLY);
	if (without != HPKM_A_PATCH_NAME)
		message_text(message, HPKM_A_PATCH_NAME, "v2");
	if (without != HPKM_A_TARGET)
		message_target(message, getpid(), 0);
}

static void test_load(void)
{
	struct message m;

	load_message(&m, HPKM_A_FD);
	refuse(&m, EINVAL, "load without fd");
	load_message(&m, HPKM_A_OFFSET);
	refuse(&m, EINVAL, "load without offset");
	load_message(&m, HPKM_A_SIZE);
	refuse(&m, EINVAL, "load without size");
	load_message(&m, HPKM_A_SIZE);
	message_u32(&m, HPKM_A_SIZE, 8);
	refuse(&m, 0, "load with a size of 4 bytes");
	load_message(&m, HPKM_A_FD);
	message_put(&m, HPKM_A_FD, "", 1);
	refuse(&m, 0, "load with an fd of 1 byte");
	load_message(&m, HPKM_A_FD);
	message_put(&m, HPKM_A_FD, "", 0);
	refuse(&m, 0, "load with an empty fd");
	load_message(&m, 0);
	message_u32(&m, HPKM_A_WAIT, 1);
	refuse(&m, 0, "load with an attribute of apply");
	load_message(&m, 0);
	message_u32(&m, HPKM_A_MAX + 1, 1);
	refuse(&m, 0, "load with an unknown attribute");
	load_message(&m, 0);
	message_u32(&m, 0, 1);
	refuse(&m, 0, "load with attribute 0");
}

static void refuse_fd(int fd, uint64_t offset, uint64_t size, int error,
		      const char *what)
{
	int ret = genl_load_fd(&genl, fd, offset, size);
	bool good = ret < 0 && (!error || ret == -error);

	if (!good)
		tap_note("answer %d (%s)", ret, strerror(-ret));
	tap_result(good && genl.words[0], "%s: %s", what, genl.words);
}

static void test_files(void)
{
	int pipes[2], fd, sockets[2];

	refuse_fd(-1, 0, image_size, EBADF, "an fd that is not open");
	refuse_fd(1000, 0, image_size, EBADF, "an fd that is not open");
	fd = open("/tmp", O_RDONLY | O_DIRECTORY);
	refuse_fd(fd, 0, image_size, 0, "a directory");
	close(fd);
	fd = open("/proc/self/exe", O_PATH);
	refuse_fd(fd, 0, image_size, EBADF, "a path only");
	close(fd);
	if (pipe(pipes) || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		exit(1);
	refuse_fd(pipes[0], 0, image_size, 0, "a pipe");
	refuse_fd(sockets[0], 0, image_size, 0, "a socket");
	fd = open("/dev/zero", O_RDONLY);
	refuse_fd(fd, 0, image_size, 0, "a device");
	close(fd);
	fd = open("/proc/self/mem", O_RDONLY);
	refuse_fd(fd, 0, image_size, 0, "the memory of a process");
	close(fd);
	fd = open("/tmp", O_TMPFILE | O_WRONLY, 0600);
	if (fd < 0)
		fd = open("/dev/null", O_WRONLY);
	refuse_fd(fd, 0, image_size, EBADF, "a file open for writing only");
	close(fd);
	refuse_fd(image_fd, 0, 0, 0, "size 0");
	refuse_fd(image_fd, 0, 1, 0, "size 1");
	refuse_fd(image_fd, 0, image_size + 1, 0, "a size beyond the file");
	refuse_fd(image_fd, 0, UINT64_MAX, 0, "the largest size");
	refuse_fd(image_fd, 0, 65 << 20, 0, "a size of 65 MiB");
	refuse_fd(image_fd, 1, image_size, 0, "an offset of 1");
	refuse_fd(image_fd, image_size, image_size, 0, "an offset at the end");
	refuse_fd(image_fd, INT64_MAX, image_size, 0, "an offset that overflows");
	refuse_fd(image_fd, UINT64_MAX, image_size, 0, "the largest offset");
	for (int i = 0; i < 2; i++) {
		close(pipes[i]);
		close(sockets[i]);
	}
}

static void test_apply(void)
{
	struct message m;
	char name[100];

	apply_message(&m, HPKM_A_PATCH_NAME);
	refuse(&m, EINVAL, "apply without patch-name");
	apply_message(&m, HPKM_A_TARGET);
	refuse(&m, EINVAL, "apply with neither target nor all");
	apply_message(&m, 0);
	message_put(&m, HPKM_A_ALL, NULL, 0);
	refuse(&m, EINVAL, "apply with both target and all");
	apply_message(&m, 0);
	refuse(&m, ENOENT, "apply of what is not loaded");
	apply_message(&m, HPKM_A_PATCH_NAME);
	message_put(&m, HPKM_A_PATCH_NAME, "v2", 2);
	refuse(&m, 0, "apply with a name without NUL");
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = 0;
	apply_message(&m, HPKM_A_PATCH_NAME);
	message_put(&m, HPKM_A_PATCH_NAME, name, sizeof(name));
	refuse(&m, 0, "apply with a long name");
	apply_message(&m, HPKM_A_TARGET);
	message_put(&m, HPKM_A_TARGET | NLA_F_NESTED, NULL, 0);
	refuse(&m, EINVAL, "apply with an empty target");
	apply_message(&m, HPKM_A_TARGET);
	message_target(&m, 0, 0);
	refuse(&m, 0, "apply with pid 0");
	apply_message(&m, HPKM_A_TARGET);
	message_target(&m, UINT32_MAX, 0);
	refuse(&m, ESRCH, "apply with the largest pid");
	apply_message(&m, HPKM_A_TARGET);
	message_u32(&m, HPKM_A_TARGET, 1);
	refuse(&m, 0, "apply with a number for target");
	apply_message(&m, HPKM_A_TARGET);
	message_put(&m, HPKM_A_TARGET | NLA_F_NESTED, "\xff\xff\xff\xff\xff",
		    5);
	refuse(&m, 0, "apply with garbage for target");
	apply_message(&m, HPKM_A_TARGET);
	message_put(&m, HPKM_A_TARGET | NLA_F_NESTED, "\x0c\0\x01\0\x01\0\0\0",
		    8);
	refuse(&m, 0, "apply with a target cut short");
	apply_message(&m, HPKM_A_TARGET);
	message_put(&m, HPKM_A_TARGET | NLA_F_NESTED,
		    "\x08\0\x09\0\x01\0\0\0", 8);
	refuse(&m, 0, "apply with an unknown attribute in a target");
	apply_message(&m, 0);
	message_u32(&m, HPKM_A_CONSISTENCY, 17);
	refuse(&m, 0, "apply with an unknown consistency");
	apply_message(&m, 0);
	message_u32(&m, HPKM_A_DISTANCE, 4097);
	refuse(&m, 0, "apply with a distance of 4097");
	apply_message(&m, 0);
	message_u32(&m, HPKM_A_WAIT, UINT32_MAX);
	refuse(&m, 0, "apply with a wait of 49 days");
	apply_message(&m, 0);
	message_u32(&m, HPKM_A_DRY_RUN, 1);
	refuse(&m, 0, "apply with a number for dry-run");
	apply_message(&m, 0);
	message_u32(&m, HPKM_A_STATUS, 1);
	refuse(&m, 0, "apply with an attribute of replies");
}

/* The image with an extern more, so that there is something to bind. */
static bool load_extern(void)
{
	size_t size = image_size + sizeof(struct hpkm_image_extern);
	struct hpkm_image_header *h = calloc(1, size);
	struct hpkm_image_extern *e = (void *)((char *)h + image_size);
	int ret;

	memcpy(h, image, image_size);
	h->size = size;
	h->externs.offset = image_size;
	h->externs.count = 1;
	e->name = h->name;
	ret = genl_load(&genl, h, size);
	free(h);
	return !ret;
}

static void put_nest(struct message *to, int type, const struct message *nest)
{
	message_put(to, type | NLA_F_NESTED, nest->attrs,
		    nest->header.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
}

/* A binding of extern @index, @times; without one of its attributes. */
static void binding_message(struct message *message, int command,
			    uint32_t index, int times, int without)
{
	struct message nest, bound;
	char id[20] = "an id";

	apply_message(message, 0);
	message->genl.cmd = command;
	message_begin(&nest, 0);
	if (without != HPKM_A_BINDING_ID_KIND)
		message_u32(&nest, HPKM_A_BINDING_ID_KIND, HPKM_ID_BUILD_ID);
	if (without != HPKM_A_BINDING_ID)
		message_put(&nest, HPKM_A_BINDING_ID, id, sizeof(id));
	if (without != HPKM_A_BINDING_ID_OFFSET)
		message_u64(&nest, HPKM_A_BINDING_ID_OFFSET, 700);
	while (times--) {
		message_begin(&bound, 0);
		message_u32(&bound, HPKM_A_BOUND_EXTERN, index);
		if (without != HPKM_A_BINDING_BOUND)
			message_u64(&bound, HPKM_A_BOUND_OFFSET, 4096);
		put_nest(&nest, HPKM_A_BINDING_BOUND, &bound);
	}
	put_nest(message, HPKM_A_BINDING, &nest);
}

static void test_bindings(void)
{
	struct message m, nest;
	char id[100] = "";

	tap_result(load_extern(), "an image with an extern is accepted: %s",
		   genl.words);
	binding_message(&m, HPKM_CMD_APPLY, 0, 1, HPKM_A_BINDING_ID);
	refuse(&m, EINVAL, "a binding without id");
	binding_message(&m, HPKM_CMD_APPLY, 0, 1, HPKM_A_BINDING_ID_KIND);
	refuse(&m, EINVAL, "a binding without the kind of its id");
	binding_message(&m, HPKM_CMD_APPLY, 0, 1, HPKM_A_BINDING_ID_OFFSET);
	refuse(&m, EINVAL, "a binding without the place of its id");
	binding_message(&m, HPKM_CMD_APPLY, 0, 1, HPKM_A_BINDING_BOUND);
	refuse(&m, EINVAL, "a bound extern without offset");
	binding_message(&m, HPKM_CMD_APPLY, 1, 1, 0);
	refuse(&m, EINVAL, "an extern that the patch has not");
	binding_message(&m, HPKM_CMD_APPLY, UINT32_MAX, 1, 0);
	refuse(&m, EINVAL, "the largest extern");
	binding_message(&m, HPKM_CMD_APPLY, 0, 2, 0);
	refuse(&m, EINVAL, "an extern that is bound twice");
	binding_message(&m, HPKM_CMD_REVERT, 0, 1, 0);
	refuse(&m, EINVAL, "a revert with a binding");
	apply_message(&m, 0);
	message_u32(&m, HPKM_A_BINDING, 1);
	refuse(&m, 0, "a number for a binding");
	apply_message(&m, 0);
	message_put(&m, HPKM_A_BINDING | NLA_F_NESTED, NULL, 0);
	refuse(&m, EINVAL, "an empty binding");
	for (uint32_t kind = 0; kind < 5; kind++) {
		if (kind == HPKM_ID_BUILD_ID)
			continue;
		apply_message(&m, 0);
		message_begin(&nest, 0);
		message_u32(&nest, HPKM_A_BINDING_ID_KIND, kind);
		message_put(&nest, HPKM_A_BINDING_ID, id, 20);
		message_u64(&nest, HPKM_A_BINDING_ID_OFFSET, 0);
		put_nest(&m, HPKM_A_BINDING, &nest);
		refuse(&m, 0, "an id of another kind, or size");
	}
	apply_message(&m, 0);
	message_begin(&nest, 0);
	message_u32(&nest, HPKM_A_BINDING_ID_KIND, HPKM_ID_BUILD_ID);
	message_put(&nest, HPKM_A_BINDING_ID, id, 65);
	message_u64(&nest, HPKM_A_BINDING_ID_OFFSET, 0);
	put_nest(&m, HPKM_A_BINDING, &nest);
	refuse(&m, 0, "an id of 65 bytes");
	genl_close(&genl);
	if (!genl_open(&genl))
		exit(1);
}

/* ---- every attribute in every wrong shape ---- */

enum kind { U32, U64, TEXT, FLAG, BINARY, NEST };

/* An attribute of @command, at the end of a path of nests. */
static const struct shape {
	int command;
	enum kind kind;
	int path[3];
	const char *name;
} shapes[] = {
#define SHAPE(command, kind, ...) \
	{ HPKM_CMD_##command, kind, { __VA_ARGS__ }, #command " " #__VA_ARGS__ }
#define REQUEST(command) \
	SHAPE(command, TEXT, HPKM_A_PATCH_NAME), \
	SHAPE(command, NEST, HPKM_A_TARGET), \
	SHAPE(command, U32, HPKM_A_TARGET, HPKM_A_TARGET_PID), \
	SHAPE(command, U64, HPKM_A_TARGET, HPKM_A_TARGET_START_TIME), \
	SHAPE(command, FLAG, HPKM_A_ALL), \
	SHAPE(command, FLAG, HPKM_A_EACH), \
	SHAPE(command, FLAG, HPKM_A_DRY_RUN), \
	SHAPE(command, FLAG, HPKM_A_SKIP_HOOKS), \
	SHAPE(command, U32, HPKM_A_CONSISTENCY), \
	SHAPE(command, U32, HPKM_A_DISTANCE), \
	SHAPE(command, U32, HPKM_A_WAIT), \
	SHAPE(command, NEST, HPKM_A_BINDING), \
	SHAPE(command, U32, HPKM_A_BINDING, HPKM_A_BINDING_ID_KIND), \
	SHAPE(command, BINARY, HPKM_A_BINDING, HPKM_A_BINDING_ID), \
	SHAPE(command, U64, HPKM_A_BINDING, HPKM_A_BINDING_ID_OFFSET), \
	SHAPE(command, NEST, HPKM_A_BINDING, HPKM_A_BINDING_BOUND), \
	SHAPE(command, U32, HPKM_A_BINDING, HPKM_A_BINDING_BOUND, \
	      HPKM_A_BOUND_EXTERN), \
	SHAPE(command, U64, HPKM_A_BINDING, HPKM_A_BINDING_BOUND, \
	      HPKM_A_BOUND_OFFSET)
	SHAPE(LOAD, U32, HPKM_A_FD),
	SHAPE(LOAD, U64, HPKM_A_OFFSET),
	SHAPE(LOAD, U64, HPKM_A_SIZE),
	REQUEST(APPLY),
	REQUEST(REVERT),
	SHAPE(ANSWER, U32, HPKM_A_REQUEST),
	SHAPE(ANSWER, NEST, HPKM_A_DOUBT),
	SHAPE(ANSWER, U32, HPKM_A_DOUBT, HPKM_A_DOUBT_TID),
	SHAPE(ANSWER, U64, HPKM_A_DOUBT, HPKM_A_DOUBT_SWITCHES),
	SHAPE(ANSWER, U64, HPKM_A_DOUBT, HPKM_A_DOUBT_SP),
	SHAPE(ANSWER, NEST, HPKM_A_DOUBT, HPKM_A_DOUBT_WORD),
	SHAPE(ANSWER, U64, HPKM_A_DOUBT, HPKM_A_DOUBT_WORD,
	      HPKM_A_WORD_ADDRESS),
	SHAPE(ANSWER, U64, HPKM_A_DOUBT, HPKM_A_DOUBT_WORD,
	      HPKM_A_WORD_VALUE),
};

#define SHAPES	(sizeof(shapes) / sizeof(*shapes))

/* A message that would do, or be refused for what it says. */
static void sound_message(struct message *m, int command)
{
	struct message doubt;

	switch (command) {
	case HPKM_CMD_LOAD:
		load_message(m, 0);
		return;
	case HPKM_CMD_ANSWER:
		message_begin(&doubt, 0);
		message_u32(&doubt, HPKM_A_DOUBT_TID, 1);
		message_u64(&doubt, HPKM_A_DOUBT_SWITCHES, 1);
		message_u64(&doubt, HPKM_A_DOUBT_SP, 4096);
		message_begin(m, HPKM_CMD_ANSWER);
		message_u32(m, HPKM_A_REQUEST, 1);
		put_nest(m, HPKM_A_DOUBT, &doubt);
		return;
	default:
		apply_message(m, 0);
		m->genl.cmd = command;
	}
}

/* Was it the shape, and not what the message says, that was refused? */
static bool is_refused(struct message *m)
{
	static const char *const words[] = {
		"policy validation", "attribute length", "out of range",
		"NLA_F_NESTED", "Unknown attribute", "Unsupported attribute",
		"leftover",
	};
	int ret = genl_ask(&genl, m, 0);

	for (size_t i = 0; ret < 0 && i < sizeof(words) / sizeof(*words); i++)
		if (strstr(genl.words, words[i]))
			return true;
	return false;
}

/* In a sound message, once more, with so many bytes of 'a'. */
static bool is_size_refused(const struct shape *s, int type, size_t size)
{
	struct message m, inner, outer;
	char data[4096];
	int depth = 0;

	memset(data, 'a', sizeof(data));
	while (depth < 2 && s->path[depth + 1])
		depth++;
	message_begin(&inner, 0);
	message_put(&inner, type, data, size);
	while (depth--) {
		message_begin(&outer, 0);
		put_nest(&outer, s->path[depth], &inner);
		inner = outer;
	}
	sound_message(&m, s->command);
	memcpy((char *)&m + m.header.nlmsg_len, inner.attrs,
	       inner.header.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
	m.header.nlmsg_len += inner.header.nlmsg_len - NLMSG_HDRLEN -
			      GENL_HDRLEN;
	if (is_refused(&m))
		return true;
	tap_note("%s: type 0x%x with %zu bytes: '%s'", s->name, type, size,
		 genl.words);
	return false;
}

static void test_shapes(void)
{
	static const int sizes[][7] = {
		[U32] = { 0, 1, 3, 5, 8, 4096, -1 },
		[U64] = { 0, 4, 7, 9, 16, 4096, -1 },
		[TEXT] = { 0, 65, 4096, -1 },
		[FLAG] = { 1, 4, 4096, -1 },
		[BINARY] = { 65, 4096, -1 },
		[NEST] = { 1, 2, 3, 5, 4096, -1 },
	};
	static const int right[] = {
		[U32] = 4, [U64] = 8, [TEXT] = 2, [FLAG] = 0, [BINARY] = 20,
		[NEST] = 0,
	};

	for (const struct shape *s = shapes; s < shapes + SHAPES; s++) {
		int type = s->path[2] ?: s->path[1] ?: s->path[0];
		int nested = s->kind == NEST ? NLA_F_NESTED : 0;
		bool good = true;

		for (const int *size = sizes[s->kind]; *size >= 0; size++)
			good &= is_size_refused(s, type | nested, *size);
		/* A nest that is said to be none, or the other way round. */
		good &= is_size_refused(s, type | (nested ^ NLA_F_NESTED),
					right[s->kind]);
		if (s->path[1])
			good &= is_size_refused(s, 200, 4);
		tap_result(good, "wrong shapes: %s", s->name);
	}
}

static void test_depth(void)
{
	static const int nests[][2] = {
		{ HPKM_CMD_APPLY, HPKM_A_TARGET },
		{ HPKM_CMD_REVERT, HPKM_A_BINDING },
		{ HPKM_CMD_ANSWER, HPKM_A_DOUBT },
	};
	struct message m, inner, outer;

	for (int i = 0; i < 3; i++) {
		message_begin(&inner, 0);
		for (int depth = 0; depth < 1000; depth++) {
			message_begin(&outer, 0);
			put_nest(&outer, nests[i][1], &inner);
			inner = outer;
		}
		sound_message(&m, nests[i][0]);
		put_nest(&m, nests[i][1], &inner);
		tap_result(is_refused(&m), "1,000 nests in each other: %s",
			   genl.words);
	}
}

static void answers(struct message *m, int flags, int error, const char *what)
{
	int ret = genl_ask(&genl, m, flags);

	tap_result(ret == -error, "%s: %s", what, strerror(-ret));
}

static void test_commands(void)
{
	struct message m;

	for (int command = 0; command < 256; command += 17) {
		if (command && command <= HPKM_CMD_MAX)
			continue;
		message_begin(&m, command);
		answers(&m, 0, EOPNOTSUPP, "an unknown command");
	}
	message_begin(&m, HPKM_CMD_RESULT);
	answers(&m, 0, EOPNOTSUPP, "a command that is only a reply");
	message_begin(&m, HPKM_CMD_NOTICE);
	answers(&m, 0, EOPNOTSUPP, "a command that is only an event");
	message_begin(&m, HPKM_CMD_PATCH_GET);
	answers(&m, 0, EOPNOTSUPP, "a dump asked for without the flag");
	message_begin(&m, HPKM_CMD_LOAD);
	answers(&m, NLM_F_DUMP, EOPNOTSUPP, "a dump of what has none");
	message_begin(&m, HPKM_CMD_TARGET_GET);
	answers(&m, NLM_F_DUMP, 0, "a dump of targets");
	message_begin(&m, HPKM_CMD_PATCH_GET);
	answers(&m, NLM_F_DUMP, 0, "a dump of patches");
}

/* The last of those that are given twice counts, as netlink has it. */
static void test_twice(void)
{
	struct message m;
	int ret;

	load_message(&m, HPKM_A_FD);
	message_u32(&m, HPKM_A_FD, 1000);
	message_u32(&m, HPKM_A_FD, image_fd);
	ret = genl_ask(&genl, &m, 0);
	tap_result(!ret, "load with two fds: %s", genl.words);
	apply_message(&m, 0);
	message_target(&m, getpid(), 0);
	message_target(&m, getpid(), 0);
	ret = genl_ask(&genl, &m, 0);
	tap_result(!ret || genl.words[0], "apply to one process three times: %s",
		   strerror(-ret));
	/* That request is still to report. */
	if (!ret)
		genl_outcome(&genl, &ret);
	genl_close(&genl);
	if (!genl_open(&genl))
		exit(1);
}

/* Any attributes at all, of this process alone. */
static void test_random(void)
{
	struct message m;
	int refused = 0;

	srand(2);
	for (int i = 0; i < RANDOM_MESSAGES; i++) {
		char data[64];
		int n = rand() % 6;

		message_begin(&m, 1 + rand() % HPKM_CMD_MAX);
		while (n--) {
			for (size_t k = 0; k < sizeof(data); k++)
				data[k] = rand() % 4 ? 0 : rand();
			message_put(&m, rand() % (HPKM_A_MAX + 2) |
				    (rand() % 3 ? 0 : NLA_F_NESTED), data,
				    rand() % 5 * 4);
		}
		if (!(rand() % 4))
			m.header.nlmsg_len -= 3;
		refused += genl_ask(&genl, &m, rand() % 8 ? 0 : NLM_F_DUMP) < 0;
	}
	tap_note("%d of %d refused", refused, RANDOM_MESSAGES);
	tap_result(refused > RANDOM_MESSAGES / 2, "random messages");
}

int main(void)
{
	int ret;

	image = read_whole(built_path("pie/v2.image"), &image_size);
	if (!image)
		tap_skip_all("pie/v2.image is missing");
	if (!genl_open(&genl))
		tap_skip_all("the module is not loaded");
	image_fd = memfd_create("image", MFD_CLOEXEC);
	if (write(image_fd, image, image_size) != (ssize_t)image_size)
		return 1;
	tap_plan(87 + SHAPES + 3);
	test_load();
	test_files();
	test_apply();
	test_commands();
	test_twice();
	test_bindings();
	test_shapes();
	test_depth();
	test_random();
	ret = genl_load(&genl, image, image_size);
	tap_result(!ret, "the image is still accepted: %s", genl.words);
	return tap_exit();
}
