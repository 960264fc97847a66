// SPDX-License-Identifier: GPL-2.0
/*
 * hpkm, asked directly.  A request costs what it costs the module and the
 * socket, without the start of a program each time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "patcher.h"

#define FLOOR	"/sys/module/hpkm_floor/parameters/stop"
#define WAIT_MS	30000

static const char name_format[] = "bench-%04d";

/* The results of a thousand targets shall not wait for who reads them. */
static void make_room(struct genl *genl)
{
	int size = 16 << 20;

	if (setsockopt(genl->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)))
		bench_die("SO_RCVBUFFORCE");
}

static void connect_to(struct genl *genl)
{
	if (!genl_open(genl))
		bench_die("the module is not loaded");
	make_room(genl);
}

void patcher_open(struct patcher *patcher, const char *image)
{
	connect_to(&patcher->genl);
	patcher->image = read_whole(image, &patcher->size);
	if (!patcher->image)
		bench_die("%s", image);
}

void patcher_close(struct patcher *patcher)
{
	genl_close(&patcher->genl);
	free(patcher->image);
}

/* Patches that differ by their names only. */
static void set_name(struct patcher *patcher, int number)
{
	size_t digits = strlen(PATCHER_NAME) - 4;
	char text[32], *at;

	at = memmem(patcher->image, patcher->size, PATCHER_NAME, digits);
	if (!at || number < 0 || number > 9999)
		bench_die("the image has another name");
	snprintf(text, sizeof(text), name_format, number);
	memcpy(at, text, strlen(text));
}

static void transition(struct patcher *patcher, int command, int number,
		       uint32_t pid, int want, uint64_t begin,
		       struct patcher_figures *figures)
{
	struct genl *genl = &patcher->genl;
	struct message m;
	int error, status, target;
	char name[32];

	snprintf(name, sizeof(name), name_format, number);
	message_begin(&m, command);
	message_text(&m, HPKM_A_PATCH_NAME, name);
	if (pid)
		message_target(&m, pid, 0);
	else
		message_put(&m, HPKM_A_ALL, NULL, 0);
	message_u32(&m, HPKM_A_WAIT, WAIT_MS);
	error = genl_ask(genl, &m, 0);
	errno = -error;
	if (error)
		bench_die("%s, command %d: %s", name, command, genl->words);
	status = genl_outcome(genl, &target);
	figures->time_ns = bench_now() - begin;
	figures->pause_ns = genl->pause_ns;
	figures->scanned = genl->scanned;
	figures->attempts = genl->attempts;
	figures->targets = genl->targets;
	if (status != want)
		bench_die("%s, command %d: status %d, of the first target %d",
			  name, command, status, target);
}

void patcher_apply(struct patcher *patcher, int number, uint32_t pid,
		   struct patcher_figures *figures)
{
	uint64_t begin;

	set_name(patcher, number);
	/* Each patch has a client of its own, who may load only so many. */
	genl_close(&patcher->genl);
	connect_to(&patcher->genl);
	begin = bench_now();
	errno = -genl_load(&patcher->genl, patcher->image, patcher->size);
	if (errno)
		bench_die("load: %s", patcher->genl.words);
	transition(patcher, HPKM_CMD_APPLY, number, pid, HPKM_STATUS_APPLIED,
		   begin, figures);
}

void patcher_revert(struct patcher *patcher, int number, uint32_t pid,
		    struct patcher_figures *figures)
{
	transition(patcher, HPKM_CMD_REVERT, number, pid,
		   HPKM_STATUS_REVERTED, bench_now(), figures);
}

uint64_t patcher_floor(void)
{
	char text[32] = "";
	int fd = open(FLOOR, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		bench_die("%s", FLOOR);
	close(fd);
	return strtoull(text, NULL, 10);
}
