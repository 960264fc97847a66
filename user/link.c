// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 3, link: the list of what is linked, and the run of GNU ld, which does
 * the relocating (ld_input.c, ld_output.c).
 *
 * A position-independent anchor is linked as if it stood at FAKE_BASE, so
 * that the span below it has addresses too; the next one FAKE_STEP above, so
 * that an address tells which anchor it belongs to.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hpkm.h"
#include "ld.h"
#include "link.h"
#include "span.h"

#define FAKE_BASE	(4ULL << 30)
#define FAKE_STEP	(16ULL << 30)

extern char **environ;

void hpkm_link_init(struct hpkm_link *link, struct hpkm_arena *arena,
		    const struct hpkm_anchor *anchors, size_t count)
{
	uint64_t next = FAKE_BASE;

	link->arena = arena;
	link->arch = anchors[0].arch;
	link->span_count = count;
	link->spans = hpkm_arena_alloc(arena, count, sizeof(*link->spans));
	for (size_t i = 0; i < count; i++) {
		link->spans[i].anchor = &anchors[i];
		if (!anchors[i].fixed)
			continue;
		/* Clear of where a non-PIE really stands. */
		link->spans[i].base = anchors[i].base;
		if (anchors[i].end > FAKE_BASE / 2)
			next = (anchors[i].end / FAKE_STEP + 2) * FAKE_STEP;
	}
	for (size_t i = 0; i < count; i++) {
		if (anchors[i].fixed)
			continue;
		link->spans[i].base = next;
		next += FAKE_STEP;
	}
}

struct hpkm_link_piece *hpkm_link_add(struct hpkm_link *link,
				      struct hpkm_link_span *span,
				      const char *name,
				      enum hpkm_link_kind kind,
				      uint64_t align, const uint8_t *data,
				      uint64_t size)
{
	struct hpkm_link_piece *piece;

	piece = hpkm_arena_alloc(link->arena, 1, sizeof(*piece));
	piece->span = span;
	piece->name = name;
	piece->kind = kind;
	piece->align = align;
	piece->size = size;
	piece->item_size = size;
	if (data)
		piece->data = hpkm_arena_copy(link->arena, data, size);
	link->pieces = hpkm_arena_push(link->arena, link->pieces,
				       link->piece_count,
				       sizeof(*link->pieces));
	link->pieces[link->piece_count++] = piece;
	span->piece_count++;
	return piece;
}

struct hpkm_link_reloc *hpkm_link_add_reloc(struct hpkm_link *link,
					    struct hpkm_link_piece *piece)
{
	struct hpkm_link_reloc *r;

	piece->relocs = hpkm_arena_push(link->arena, piece->relocs,
					piece->reloc_count,
					sizeof(*piece->relocs));
	r = &piece->relocs[piece->reloc_count++];
	memset(r, 0, sizeof(*r));
	return r;
}

size_t hpkm_link_extern(struct hpkm_link *link,
			const struct hpkm_link_span *span, const char *name,
			const char *version, bool weak)
{
	struct hpkm_link_extern *e;

	for (size_t i = 0; i < link->extern_count; i++) {
		e = &link->externs[i];
		if (e->span == span && !strcmp(e->name, name) &&
		    !strcmp(e->version, version)) {
			e->weak &= weak;
			return i;
		}
	}
	link->externs = hpkm_arena_push(link->arena, link->externs,
					link->extern_count, sizeof(*e));
	e = &link->externs[link->extern_count];
	*e = (struct hpkm_link_extern){ span, name, version, weak };
	return link->extern_count++;
}

void hpkm_link_copy(struct hpkm_link *link, const struct hpkm_link_piece *piece,
		    uint64_t from)
{
	link->copies = hpkm_arena_push(link->arena, link->copies,
				       link->copy_count,
				       sizeof(*link->copies));
	link->copies[link->copy_count++] = (struct hpkm_link_copy){
		piece, from,
	};
}

static int run_ld(const struct hpkm_link *link, const char *dir)
{
	const char *ld = link->arch->ld;
	char *argv[] = {
		(char *)ld, "-q", "--no-relax", "-static", "-nostdlib",
		"-z", "noexecstack", "-z", "norelro",
		"-z", "max-page-size=4096", "-z", "common-page-size=4096",
		"--build-id=none", "-e", "0",
		"-T", "patch.ld", "-o", "patch.elf", "patch.o", NULL,
	};
	posix_spawn_file_actions_t actions;
	int status, err;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	/* Relative names: the output must not depend on the directory's. */
	posix_spawn_file_actions_addchdir_np(&actions, dir);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO,
					 STDOUT_FILENO);
	err = posix_spawnp(&pid, ld, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err) {
		hpkm_error("cannot run the linker '%s': %s", ld,
			   strerror(err));
		hpkm_detail("it comes with the package binutils");
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		hpkm_error("the linker failed; --keep DIR keeps its input");
		return -1;
	}
	return 0;
}

int hpkm_link_run(struct hpkm_link *link)
{
	static const char *const files[] = {
		"patch.o", "patch.ld", "patch.elf",
	};
	const char *dir = link->keep, *parent = getenv("TMPDIR");
	char *temporary, *paths[3];
	int err;

	if (hpkm_span_place(link))
		return -1;
	if (!parent || *parent != '/')
		parent = "/tmp";
	temporary = hpkm_arena_printf(link->arena, "%s/hpkm-build.XXXXXX",
				      parent);
	if (dir) {
		if (mkdir(dir, 0777) && errno != EEXIST) {
			hpkm_error("cannot make %s: %s", dir, strerror(errno));
			return -1;
		}
	} else {
		dir = mkdtemp(temporary);
		if (!dir) {
			hpkm_error("cannot make a directory in %s: %s", parent,
				   strerror(errno));
			return -1;
		}
	}
	for (int i = 0; i < 3; i++)
		paths[i] = hpkm_arena_printf(link->arena, "%s/%s", dir,
					     files[i]);
	err = hpkm_ld_object(link, paths[0]) ||
		hpkm_ld_script(link, paths[1]) ||
		run_ld(link, dir) || hpkm_ld_read(link, paths[2]);
	if (!link->keep) {
		for (int i = 0; i < 3; i++)
			unlink(paths[i]);
		rmdir(dir);
	}
	return err ? -1 : 0;
}
