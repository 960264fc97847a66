// SPDX-License-Identifier: GPL-2.0
/*
 * served FILE DIR STALL: mount a file system at DIR that this process serves
 * (FUSE).  It has one file, "file", with the contents of FILE.  While there is
 * a file STALL, nobody is given a page: who asks for one waits, and STALL.waits
 * is made.  Ends by a signal.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILE_ID		2
#define READ_MAX	(128 << 10)

static int fuse, contents;
static off_t size;
static const char *stall;
static char waits[4096];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void reply(const struct fuse_in_header *in, int error, const void *data,
		  size_t count)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + count,
		.error = -error,
		.unique = in->unique,
	};
	struct iovec parts[] = {
		{ &out, sizeof(out) },
		{ (void *)data, count },
	};

	/* Who asked may have gone. */
	if (writev(fuse, parts, 2) < 0 && errno != ENOENT)
		die("reply");
}

static void fill(uint64_t id, struct fuse_attr *attr)
{
	attr->ino = id;
	attr->mode = id == FILE_ID ? S_IFREG | 0755 : S_IFDIR | 0755;
	attr->nlink = 1;
	attr->size = id == FILE_ID ? size : 0;
	attr->blksize = 4096;
}

static void do_init(const struct fuse_in_header *in)
{
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		.flags = FUSE_ASYNC_READ,
		.max_readahead = READ_MAX,
		.max_write = 4096,
	};

	reply(in, 0, &out, sizeof(out));
}

static void do_lookup(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out = {
		.nodeid = FILE_ID,
		.entry_valid = 1000,
		.attr_valid = 1000,
	};

	fill(FILE_ID, &out.attr);
	if (strcmp(name, "file"))
		reply(in, ENOENT, NULL, 0);
	else
		reply(in, 0, &out, sizeof(out));
}

static void do_getattr(const struct fuse_in_header *in)
{
	struct fuse_attr_out out = { .attr_valid = 1000 };

	fill(in->nodeid, &out.attr);
	reply(in, 0, &out, sizeof(out));
}

static void do_read(const struct fuse_in_header *in,
		    const struct fuse_read_in *what)
{
	static char data[READ_MAX];
	ssize_t n;

	while (!access(stall, F_OK)) {
		close(open(waits, O_CREAT | O_WRONLY, 0600));
		usleep(20000);
	}
	if (what->size > READ_MAX) {
		reply(in, EINVAL, NULL, 0);
		return;
	}
	n = pread(contents, data, what->size, what->offset);
	reply(in, n < 0 ? EIO : 0, data, n < 0 ? 0 : n);
}

static void serve(const struct fuse_in_header *in)
{
	struct fuse_open_out opened = { 0 };

	switch (in->opcode) {
	case FUSE_INIT:
		do_init(in);
		break;
	case FUSE_LOOKUP:
		do_lookup(in, (const char *)(in + 1));
		break;
	case FUSE_GETATTR:
		do_getattr(in);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(in, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		do_read(in, (const struct fuse_read_in *)(in + 1));
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		reply(in, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(in, ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static char request[READ_MAX + 8192] __attribute__((aligned(8)));
	char options[128];
	struct stat st;

	if (argc != 4)
		return 2;
	stall = argv[3];
	snprintf(waits, sizeof(waits), "%s.waits", stall);
	contents = open(argv[1], O_RDONLY);
	if (contents < 0 || fstat(contents, &st))
		die(argv[1]);
	size = st.st_size;
	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0)
		die("/dev/fuse");
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	if (mount("served", argv[2], "fuse", 0, options))
		die(argv[2]);
	for (;;) {
		ssize_t n = read(fuse, request, sizeof(request));

		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			serve((const struct fuse_in_header *)request);
		else if (n < 0 && errno == ENODEV)
			return 0;
		else if (n < 0 && errno != EINTR && errno != ENOENT)
			die("read");
	}
}
