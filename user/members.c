// SPDX-License-Identifier: GPL-2.0
/*
 * Which objects of a build went into the target (stage 1).
 *
 * The linker's list of what it has read is followed back: an input is what
 * the last step before that link left at its path.  What has been moved or
 * put into an archive since is told by its content.
 */
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "hpkm.h"
#include "members.h"

/* How much two programs' functions must have in common to be the same. */
#define SAME_ENOUGH	0.5
#define SURELY_SAME	0.9

struct view {
	uint8_t *bytes;
	size_t size;
};

struct finder {
	struct hpkm_arena *arena;
	struct hpkm_record *record;
	const char *dir;		/* the record's */
	const char *tree, *seen;	/* the same, for us and the build */
	struct hpkm_members *members;
	/* Steps that left a file: by path or identity, then time; by size. */
	size_t *by_path, *by_identity;
	struct sized {
		uint64_t size;
		size_t step;
	} *by_size;
	size_t path_count, identity_count, size_count;
	bool *taken;			/* per step */
};

/* ---- files ---- */

/* Empty when it can't be read; views are given back by close_view(). */
static struct view open_view(const char *path)
{
	struct view v = { 0 };
	struct stat st;
	void *p;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return v;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0) {
		p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED)
			v = (struct view){ p, st.st_size };
	}
	close(fd);
	return v;
}

static void close_view(struct view *v)
{
	if (v->bytes)
		munmap(v->bytes, v->size);
}

static bool is_relocatable(const uint8_t *bytes, size_t size)
{
	Elf64_Ehdr h;

	if (size < sizeof(h))
		return false;
	memcpy(&h, bytes, sizeof(h));
	return !memcmp(h.e_ident, ELFMAG, SELFMAG) && h.e_type == ET_REL;
}

static bool inside(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && path[n] == '/';
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Where a file of the build is. */
static const char *place_of(struct finder *f, const char *path)
{
	return inside(path, f->seen) ?
		hpkm_arena_printf(f->arena, "%s%s", f->tree,
				  path + strlen(f->seen)) : path;
}

/* What it was called in the build. */
static const char *name_of(struct finder *f, const char *place)
{
	return inside(place, f->tree) ?
		hpkm_arena_printf(f->arena, "%s%s", f->seen,
				  place + strlen(f->tree)) : place;
}

/* In the tree, from its top; else NULL. */
static const char *within(struct finder *f, const char *path)
{
	return inside(path, f->seen) ? path + strlen(f->seen) + 1 : NULL;
}

/* ---- looking up steps ---- */

static const struct hpkm_record *sorting;

static int compare_paths(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = strcmp(sorting->steps[x].output, sorting->steps[y].output);

	return order ? order : x < y ? -1 : x > y;
}

static int compare_identities(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = strcmp(sorting->steps[x].identity,
			   sorting->steps[y].identity);

	return order ? order : x < y ? -1 : x > y;
}

static int compare_sizes(const void *a, const void *b)
{
	const struct sized *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return x->step < y->step ? -1 : x->step > y->step;
}

static void index_steps(struct finder *f)
{
	struct hpkm_record *r = f->record;
	struct stat st;

	f->taken = hpkm_arena_alloc(f->arena, r->count, sizeof(*f->taken));
	f->by_path = hpkm_arena_alloc(f->arena, r->count,
				      sizeof(*f->by_path));
	f->by_identity = hpkm_arena_alloc(f->arena, r->count,
					  sizeof(*f->by_identity));
	f->by_size = hpkm_arena_alloc(f->arena, r->count,
				      sizeof(*f->by_size));
	for (size_t i = 0; i < r->count; i++) {
		if (r->steps[i].kind != HPKM_DONE_OBJECT &&
		    r->steps[i].kind != HPKM_DONE_LINK)
			continue;
		f->by_path[f->path_count++] = i;
		if (r->steps[i].identity)
			f->by_identity[f->identity_count++] = i;
		if (r->steps[i].saved && !stat(r->steps[i].saved, &st))
			f->by_size[f->size_count++] =
				(struct sized){ st.st_size, i };
	}
	sorting = r;
	if (f->path_count)
		qsort(f->by_path, f->path_count, sizeof(*f->by_path),
		      compare_paths);
	if (f->identity_count)
		qsort(f->by_identity, f->identity_count,
		      sizeof(*f->by_identity), compare_identities);
	if (f->size_count)
		qsort(f->by_size, f->size_count, sizeof(*f->by_size),
		      compare_sizes);
}

/* The last step before @bound that left a file of that path, or NULL. */
static struct hpkm_done *last_at(struct finder *f, const char *path,
				 size_t bound)
{
	size_t low = 0, high = f->path_count;
	struct hpkm_done *step;
	int order;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		size_t i = f->by_path[mid];

		order = strcmp(f->record->steps[i].output, path);
		if (order < 0 || (!order && i < bound))
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	step = &f->record->steps[f->by_path[low - 1]];
	return strcmp(step->output, path) ? NULL : step;
}

/* The step that made that very file, which has been moved since, or NULL. */
static struct hpkm_done *moved(struct finder *f, const char *identity)
{
	size_t low = 0, high = f->identity_count;
	struct hpkm_done *step;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		step = &f->record->steps[f->by_identity[mid]];
		if (strcmp(step->identity, identity) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	step = &f->record->steps[f->by_identity[low - 1]];
	return strcmp(step->identity, identity) ? NULL : step;
}

static bool same_content(const char *path, const uint8_t *bytes, size_t size)
{
	struct view v = open_view(path);
	bool same = v.bytes && v.size == size && !memcmp(v.bytes, bytes, size);

	close_view(&v);
	return same;
}

/*
 * The last step before @bound that made an object with that content.  Several
 * may have; the one of that name is preferred.
 */
static struct hpkm_done *made(struct finder *f, const char *name,
			      const uint8_t *bytes, size_t size, size_t bound)
{
	struct hpkm_done *found = NULL, *step;
	size_t low = 0, high = f->size_count;
	bool named = false, now;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (f->by_size[mid].size < size)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < f->size_count && f->by_size[low].size == size; low++) {
		if (f->by_size[low].step >= bound)
			continue;
		step = &f->record->steps[f->by_size[low].step];
		now = !strcmp(base_name(step->output), base_name(name));
		if ((now || !named) && same_content(step->saved, bytes, size)) {
			found = step;
			named = now;
		}
	}
	return found;
}

/*
 * The assembler knows the name of a temporary file, or none; the step before
 * it, of the same command, knows the source.
 */
static void name_sources(struct hpkm_record *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct hpkm_done *step = &r->steps[i], *t;

		if (step->kind != HPKM_DONE_OBJECT)
			continue;
		for (size_t k = i; k--;) {
			t = &r->steps[k];
			if (t->kind != HPKM_DONE_TRANSLATE ||
			    t->driver != step->driver || !t->output ||
			    strcmp(t->output, step->source ? step->source : "-"))
				continue;
			if (t->source)
				step->source = t->source;
			step->lto |= t->lto;
			break;
		}
	}
}

/* ---- what went into a link ---- */

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
		return path ? base_name(path) : "?";
	path = *source == '/' ? source :
		hpkm_arena_printf(f->arena, "%s/%s", step->directory, source);
	real = realpath(place_of(f, path), NULL);
	if (real)
		path = name_of(f, hpkm_arena_printf(f->arena, "%s", real));
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
	m->strays[m->stray_count].name = base_name(name);
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
	size_t i = step - f->record->steps;
	struct view v;
	bool object;

	if (f->taken[i])
		return 0;
	f->taken[i] = true;
	if (step->kind == HPKM_DONE_OBJECT) {
		add_member(f, step, step->source, step->saved, archived);
		return 0;
	}
	/* Objects linked into one; a library isn't part of the target. */
	v = open_view(place_of(f, step->output));
	object = is_relocatable(v.bytes, v.size);
	close_view(&v);
	return object ? add_inputs(f, step, archived) : 0;
}

/* @key is NULL outside of the tree: what nobody made there is the system's. */
static int add_object(struct finder *f, const char *name, const char *key,
		      const uint8_t *bytes, size_t size, size_t bound,
		      bool archived)
{
	struct hpkm_done *step = made(f, name, bytes, size, bound);

	if (step)
		return add_step(f, step, archived);
	return key ? add_stray(f, name, key, bytes, size) : 0;
}

static int add_file(struct finder *f, const char *path, const char *saved,
		    size_t bound, bool archived);

static int add_archive(struct finder *f, const char *path,
		       const struct view *v, size_t bound)
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
			err = add_file(f, name_of(f, list[i].name), NULL,
				       bound, true);
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
	struct hpkm_done *step = last_at(f, path, bound);
	struct view v;
	int err = 0;

	if (step)
		return add_step(f, step, archived);
	v = open_view(place_of(f, path));
	if (!v.bytes && saved)
		v = open_view(saved);
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
	close_view(&v);
	return err;
}

static int add_input(struct finder *f, const struct hpkm_done *link, size_t i,
		     const char *saved, size_t bound, bool archived)
{
	const char *path = link->inputs[i], *identity = NULL;
	struct hpkm_done *step = NULL;

	if (link->input_identities)
		identity = link->input_identities[i];
	if (identity && !last_at(f, path, bound))
		step = moved(f, identity);
	return step ? add_step(f, step, archived) :
		add_file(f, path, saved, bound, archived);
}

/* The command that compiled and linked at once. */
static const struct hpkm_done *drive_of(struct finder *f, size_t link)
{
	const struct hpkm_done *steps = f->record->steps;

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
	struct view v = open_view(saved);
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
	close_view(&v);
	return err;
}

/* An object that is gone, of which there is but what was saved. */
static bool is_temporary(struct finder *f, const char *path, const char *saved,
			 size_t bound)
{
	struct view v;
	bool object;

	if (!saved || last_at(f, path, bound) ||
	    !access(place_of(f, path), F_OK))
		return false;
	v = open_view(saved);
	object = is_relocatable(v.bytes, v.size);
	close_view(&v);
	return object;
}

static int add_inputs(struct finder *f, const struct hpkm_done *link,
		      bool archived)
{
	size_t bound = link - f->record->steps, temporary = 0;
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

/* ---- which link is the target's ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_function(const struct hpkm_elf_symbol *s)
{
	return s->type == STT_FUNC && s->section != HPKM_SECTION_UNDEF &&
		s->section < HPKM_SECTION_OTHER;
}

/*
 * How much of their functions two linked files have in common, 0 to 1; -1
 * when the file has no symbols to tell by.
 */
static double likeness(struct finder *f, const struct hpkm_anchor *anchor,
		       const char *path)
{
	size_t count = 0, total = 0, common = 0, found;
	struct hpkm_elf elf;
	const char **names;

	if (hpkm_elf_open(f->arena, &elf, path) || !elf.symtab.count)
		return -1;
	names = hpkm_arena_alloc(f->arena, elf.symtab.count, sizeof(*names));
	for (size_t i = 0; i < elf.symtab.count; i++)
		if (is_function(&elf.symtab.symbols[i]))
			names[count++] = elf.symtab.symbols[i].name;
	if (!count)
		return -1;
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < anchor->symbol_count; i++) {
		const struct hpkm_anchor_symbol *s = &anchor->symbols[i];

		if (s->type != STT_FUNC ||
		    (i && !strcmp(s->name, anchor->symbols[i - 1].name)))
			continue;
		total++;
		common += !!bsearch(&s->name, names, count, sizeof(*names),
				    compare_names);
	}
	for (size_t i = found = 0; i < count; i++)
		found += !i || strcmp(names[i], names[i - 1]);
	return total + found ? 2.0 * common / (total + found) : 0;
}

static bool is_option(const char *arg, const char *a, const char *b)
{
	return !strcmp(arg, a) || !strcmp(arg, b);
}

static const char *soname_of_link(const struct hpkm_done *link)
{
	for (size_t i = 1; i < link->command_count; i++) {
		const char *arg = link->command[i];

		if (is_option(arg, "-soname", "-h") &&
		    i + 1 < link->command_count)
			return link->command[i + 1];
		if (!strncmp(arg, "-soname=", 8))
			return arg + 8;
		if (!strncmp(arg, "--soname=", 9))
			return arg + 9;
	}
	return NULL;
}

static bool links_objects_only(const struct hpkm_done *link)
{
	for (size_t i = 1; i < link->command_count; i++)
		if (is_option(link->command[i], "-r", "-i") ||
		    is_option(link->command[i], "--relocatable", "-Ur"))
			return true;
	return false;
}

/* Is it called as the target is? */
static bool is_named(const struct hpkm_done *link, const char *target)
{
	char *real = realpath(target, NULL);
	const char *soname = soname_of_link(link);
	const char *name = base_name(real ? real : target);
	bool named;

	named = !strcmp(base_name(link->output), name) ||
		!strcmp(base_name(link->output), base_name(target)) ||
		(soname && (!strcmp(soname, base_name(target)) ||
			    !strcmp(soname, name)));
	free(real);
	return named;
}

static bool is_candidate(struct finder *f, size_t i)
{
	const struct hpkm_done *step = &f->record->steps[i];

	/* Only as it was linked last, and if it is still there. */
	return step->kind == HPKM_DONE_LINK && !links_objects_only(step) &&
		last_at(f, step->output, f->record->count) == step &&
		within(f, step->output) &&
		!access(place_of(f, step->output), R_OK);
}

static const struct hpkm_done *choose(struct finder *f, const char *target,
				      const struct hpkm_anchor *anchor,
				      bool named, double least)
{
	const struct hpkm_done *steps = f->record->steps, *best = NULL;
	double top = -2, like;

	for (size_t i = 0; i < f->record->count; i++) {
		if (!is_candidate(f, i) ||
		    (named && !is_named(&steps[i], target)))
			continue;
		like = likeness(f, anchor, place_of(f, steps[i].output));
		/* Stripped, but of the right name. */
		if (like < 0 && named)
			like = least;
		if (like >= least && like > top) {
			top = like;
			best = &steps[i];
		}
	}
	return best;
}

static void explain(struct finder *f, const char *target)
{
	const struct hpkm_done *steps = f->record->steps;
	size_t shown = 0;

	for (size_t i = 0; i < f->record->count && shown < 20; i++) {
		if (!is_candidate(f, i))
			continue;
		if (!shown++) {
			hpkm_error("none of the files that the build has linked is %s",
				   target);
			hpkm_detail("they were compared by name and by the names of their functions; there are:");
		}
		hpkm_detail("  %s", within(f, steps[i].output));
	}
	if (shown)
		return;
	hpkm_error("the build has linked no file that hpkm-build saw");
	if (f->record->count)
		hpkm_detail("does the build command make %s?", target);
	else
		hpkm_detail("it compiled nothing, or by a compiler other than GCC or clang, or the build command clears the environment (COMPILER_PATH, PATH)");
}

int hpkm_members_find(struct hpkm_arena *arena, struct hpkm_record *record,
		      const char *dir, const char *tree, const char *seen,
		      const struct hpkm_anchor *anchor,
		      struct hpkm_members *members)
{
	const char *target = anchor->elf.path;
	struct finder f = {
		.arena = arena,
		.record = record,
		.dir = dir,
		.tree = tree,
		.seen = seen,
		.members = members,
	};
	const struct hpkm_done *link;

	memset(members, 0, sizeof(*members));
	name_sources(record);
	index_steps(&f);
	link = choose(&f, target, anchor, true, SAME_ENOUGH);
	if (!link)
		link = choose(&f, target, anchor, false, SURELY_SAME);
	if (!link) {
		explain(&f, target);
		return -1;
	}
	members->output = within(&f, link->output);
	return add_inputs(&f, link, false);
}
