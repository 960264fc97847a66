// SPDX-License-Identifier: GPL-2.0
/*
 * Which objects of a build went into the target (stage 1).
 *
 * The linker's list of what it has read is followed back: an input is what
 * the last step before that link left at its path.  What has been moved or
 * put into an archive since is told by its content.
 */
#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "hpkm.h"
#include "linked.h"
#include "members.h"
#include "steps.h"
#include "view.h"

struct finder {
	struct hpkm_arena *arena;
	struct hpkm_steps steps;
	const char *dir;		/* the record's */
	struct hpkm_members *members;
	bool *taken;			/* per step */
};

static const char *place_of(const struct finder *f, const char *path)
{
	return hpkm_steps_place(&f->steps, path);
}

static const char *within(const struct finder *f, const char *path)
{
	return hpkm_steps_within(&f->steps, path);
}

static bool is_relocatable(const uint8_t *bytes, size_t size)
{
	Elf64_Ehdr h;

	if (size < sizeof(h))
		return false;
	memcpy(&h, bytes, sizeof(h));
	return !memcmp(h.e_ident, ELFMAG, SELFMAG) && h.e_type == ET_REL;
}

static bool has_key(const struct hpkm_members *m, const char *key)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->list[i].key, key))
			return true;
	return false;
}

/* A name in the tree for what has been made from a source. */
static const char *key_of(struct finder *f, const struct hpkm_done *step,
			  const char *source)
{
	const char *path = step->output, *key;
	char *real;

	if (path && within(f, path))
		return within(f, path);
	if (!source)
		return path ? basename(path) : "?";
	path = *source == '/' ? source :
		hpkm_arena_printf(f->arena, "%s/%s", step->directory, source);
	real = realpath(place_of(f, path), NULL);
	if (real)
		path = hpkm_steps_name(&f->steps,
				       hpkm_arena_printf(f->arena, "%s", real));
	free(real);
	key = within(f, path) ? within(f, path) : path;
	/* A source can be compiled twice by one command. */
	for (int n = 2; has_key(f->members, key); n++)
		key = hpkm_arena_printf(f->arena, "%s#%d", key, n);
	return key;
}

static void add_member(struct finder *f, const struct hpkm_done *step,
		       const char *source, const char *saved, bool archived)
{
	struct hpkm_members *m = f->members;

	m->list = hpkm_arena_push(f->arena, m->list, m->count,
				  sizeof(*m->list));
	m->list[m->count] = (struct hpkm_member){
		.key = key_of(f, step, source),
		.saved = saved,
		.step = step,
		.archived = archived,
	};
	m->count++;
}

/* Was it compiled with our flags, by a clang that PATH did not lead to? */
static bool is_sectioned(struct finder *f, const char *name,
			 const uint8_t *bytes, size_t size)
{
	struct hpkm_elf elf;
	bool own = false;

	if (hpkm_elf_parse(f->arena, &elf, name,
			   hpkm_arena_copy(f->arena, bytes, size), size))
		return false;
	for (size_t i = 1; i < elf.section_count; i++) {
		const struct hpkm_elf_section *s = &elf.sections[i];

		if (!(s->flags & SHF_EXECINSTR) || !s->size)
			continue;
		if (!strcmp(s->name, ".text"))
			return false;
		own |= !strncmp(s->name, ".text.", 6);
	}
	return own;
}

static int add_stray(struct finder *f, const char *name, const char *key,
		     const uint8_t *bytes, size_t size)
{
	struct hpkm_members *m = f->members;
	const char *saved = NULL;
	struct sha256_ctx ctx;

	if (is_sectioned(f, key, bytes, size) &&
	    hpkm_record_save_bytes(f->arena, f->dir, bytes, size, &saved)) {
		hpkm_error("cannot save %s in %s: %s", key, f->dir,
			   strerror(errno));
		return -1;
	}
	m->strays = hpkm_arena_push(f->arena, m->strays, m->stray_count,
				    sizeof(*m->strays));
	m->strays[m->stray_count].key = key;
	m->strays[m->stray_count].name = basename(name);
	m->strays[m->stray_count].saved = saved;
	sha256_init(&ctx);
	sha256_update(&ctx, size, bytes);
	sha256_digest(&ctx, sizeof(m->strays->digest),
		      m->strays[m->stray_count++].digest);
	return 0;
}

static int add_inputs(struct finder *f, const struct hpkm_done *link,
		      bool archived);

/* Follows a step; each counts once. */
static int add_step(struct finder *f, struct hpkm_done *step, bool archived)
{
	size_t i = step - f->steps.record->steps;
	struct hpkm_view v;
	bool object;

	if (f->taken[i])
		return 0;
	f->taken[i] = true;
	if (step->kind == HPKM_DONE_OBJECT) {
		add_member(f, step, step->source, step->saved, archived);
		return 0;
	}
	/* Objects linked into one; a library isn't part of the target. */
	v = hpkm_view_open(place_of(f, step->output));
	object = is_relocatable(v.bytes, v.size);
	hpkm_view_close(&v);
	return object ? add_inputs(f, step, archived) : 0;
}

/* @key is NULL outside of the tree: what nobody made there is the system's. */
static int add_object(struct finder *f, const char *name, const char *key,
		      const uint8_t *bytes, size_t size, size_t bound,
		      bool archived)
{
	struct hpkm_done *step = hpkm_steps_made(&f->steps, name, bytes, size,
						 bound);

	if (step)
		return add_step(f, step, archived);
	return key ? add_stray(f, name, key, bytes, size) : 0;
}

static int add_file(struct finder *f, const char *path, const char *saved,
		    size_t bound, bool archived);

static int add_archive(struct finder *f, const char *path,
		       const struct hpkm_view *v, size_t bound)
{
	struct hpkm_archive_member *list;
	size_t count;
	const char *key;
	int err = 0;

	if (hpkm_archive_read(f->arena, place_of(f, path), v->bytes, v->size,
			      &list, &count))
		return -1;
	for (size_t i = 0; i < count && !err; i++) {
		if (!list[i].data) {
			err = add_file(f,
				       hpkm_steps_name(&f->steps, list[i].name),
				       NULL, bound, true);
			continue;
		}
		if (!is_relocatable(list[i].data, list[i].size))
			continue;
		key = within(f, path);
		if (key)
			key = hpkm_arena_printf(f->arena, "%s(%s)", key,
						list[i].name);
		err = add_object(f, list[i].name, key, list[i].data,
				 list[i].size, bound, true);
	}
	return err;
}

static void add_foreign(struct finder *f, const char *path)
{
	struct hpkm_members *m = f->members;

	m->foreign = hpkm_arena_push(f->arena, m->foreign, m->foreign_count,
				     sizeof(*m->foreign));
	m->foreign[m->foreign_count++] = path;
}

static int add_file(struct finder *f, const char *path, const char *saved,
		    size_t bound, bool archived)
{
	struct hpkm_done *step = hpkm_steps_last_at(&f->steps, path, bound);
	struct hpkm_view v;
	int err = 0;

	if (step)
		return add_step(f, step, archived);
	v = hpkm_view_open(place_of(f, path));
	if (!v.bytes && saved)
		v = hpkm_view_open(saved);
	if (!v.bytes && within(f, path)) {
		hpkm_error("%s was linked into %s, but the build has removed it",
			   within(f, path), f->members->output);
		return -1;
	}
	if (!within(f, path) && (hpkm_archive_is(v.bytes, v.size) ||
				 is_relocatable(v.bytes, v.size)))
		add_foreign(f, path);
	if (hpkm_archive_is(v.bytes, v.size))
		err = add_archive(f, path, &v, bound);
	else if (is_relocatable(v.bytes, v.size))
		err = add_object(f, path, within(f, path), v.bytes, v.size,
				 bound, archived);
	hpkm_view_close(&v);
	return err;
}

static int add_input(struct finder *f, const struct hpkm_done *link, size_t i,
		     const char *saved, size_t bound, bool archived)
{
	const char *path = link->inputs[i], *identity = NULL;
	struct hpkm_done *step = NULL;

	if (link->input_identities)
		identity = link->input_identities[i];
	if (identity && !hpkm_steps_last_at(&f->steps, path, bound))
		step = hpkm_steps_moved(&f->steps, identity);
	return step ? add_step(f, step, archived) :
		add_file(f, path, saved, bound, archived);
}

/* The command that compiled and linked at once. */
static const struct hpkm_done *drive_of(struct finder *f, size_t link)
{
	const struct hpkm_done *steps = f->steps.record->steps;

	for (size_t i = link; i--;)
		if (steps[i].kind == HPKM_DONE_DRIVE &&
		    steps[i].driver == steps[link].driver)
			return &steps[i];
	return NULL;
}

/*
 * Compiled for this link only, by nobody knows whom: its place is gone, so the
 * source that it names, and which one it is, have to do.
 */
static int add_temporary(struct finder *f, const char *saved, size_t number)
{
	struct hpkm_view v = hpkm_view_open(saved);
	const char *source = "object";
	struct hpkm_elf elf;
	int err = 0;

	if (!hpkm_elf_open(f->arena, &elf, saved)) {
		for (size_t i = 1; i < elf.symtab.count; i++)
			if (elf.symtab.symbols[i].type == STT_FILE)
				source = elf.symtab.symbols[i].name;
		source = hpkm_arena_printf(f->arena, "%s#%zu", source, number);
		err = add_stray(f, source, source, v.bytes, v.size);
	}
	hpkm_view_close(&v);
	return err;
}

/* An object that is gone, of which there is but what was saved. */
static bool is_temporary(struct finder *f, const char *path, const char *saved,
			 size_t bound)
{
	struct hpkm_view v;
	bool object;

	if (!saved || hpkm_steps_last_at(&f->steps, path, bound) ||
	    !access(place_of(f, path), F_OK))
		return false;
	v = hpkm_view_open(saved);
	object = is_relocatable(v.bytes, v.size);
	hpkm_view_close(&v);
	return object;
}

static int add_inputs(struct finder *f, const struct hpkm_done *link,
		      bool archived)
{
	size_t bound = link - f->steps.record->steps, temporary = 0;
	const struct hpkm_done *drive = drive_of(f, bound);

	for (size_t i = 0; i < link->input_count; i++) {
		const char *saved = link->input_saved ? link->input_saved[i] :
			NULL;

		if (is_temporary(f, link->inputs[i], saved, bound)) {
			temporary++;
			if (drive && temporary <= drive->input_count)
				add_member(f, drive,
					   drive->inputs[temporary - 1], saved,
					   archived);
			else if (add_temporary(f, saved, temporary))
				return -1;
			continue;
		}
		if (add_input(f, link, i, saved, bound, archived))
			return -1;
	}
	return 0;
}

int hpkm_members_find(struct hpkm_arena *arena, struct hpkm_record *record,
		      const char *dir, const char *tree, const char *seen,
		      const struct hpkm_anchor *anchor,
		      struct hpkm_members *members)
{
	struct finder f = {
		.arena = arena,
		.steps = {
			.arena = arena,
			.record = record,
			.tree = tree,
			.seen = seen,
		},
		.dir = dir,
		.members = members,
	};
	const struct hpkm_done *link;

	memset(members, 0, sizeof(*members));
	hpkm_steps_init(&f.steps);
	link = hpkm_linked_find(&f.steps, anchor);
	if (!link)
		return -1;
	f.taken = hpkm_arena_alloc(arena, record->count, sizeof(*f.taken));
	members->output = within(&f, link->output);
	return add_inputs(&f, link, false);
}
