// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 1, at its end: which objects of a target the fix has changed, and which
 * not.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hpkm.h"
#include "pairing.h"
#include "tree.h"

struct pairing {
	struct hpkm_build *build;
	size_t target;
	const struct hpkm_members *old, *new;
	const char *original;	/* the tree as it was given */
};

static const struct hpkm_member *find_member(const struct hpkm_members *m,
					     const char *key)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->list[i].key, key))
			return &m->list[i];
	return NULL;
}

static bool same_files(const char *a, const char *b)
{
	char x[65536], y[65536];
	FILE *f = fopen(a, "re"), *g = fopen(b, "re");
	bool same = f && g;
	size_t n, m;

	while (same) {
		n = fread(x, 1, sizeof(x), f);
		m = fread(y, 1, sizeof(y), g);
		same = n == m && !memcmp(x, y, n);
		if (!n)
			break;
	}
	if (f)
		fclose(f);
	if (g)
		fclose(g);
	return same;
}

/*
 * The linker takes of an archive what defines a symbol that is wanted.  An
 * object none of whose symbols the target has was left out.
 */
static int was_linked(struct pairing *p, const struct hpkm_member *m,
		      bool *linked)
{
	struct hpkm_elf elf;
	const struct hpkm_anchor *a = &p->build->anchors[p->target];
	size_t globals = 0;

	*linked = true;
	if (!m->archived)
		return 0;
	if (hpkm_elf_open(p->build->arena, &elf, m->saved))
		return -1;
	for (size_t i = 1; i < elf.symtab.count; i++) {
		const struct hpkm_elf_symbol *s = &elf.symtab.symbols[i];
		size_t count;

		if (s->bind == STB_LOCAL || !s->section)
			continue;
		/* A small symbol table has only functions. */
		if (a->partial && s->type != STT_FUNC)
			continue;
		globals++;
		if (hpkm_anchor_find(a, s->name, &count))
			return 0;
	}
	*linked = !globals;
	return 0;
}

static void add_pair(struct pairing *p, const char *name, const char *old,
		     const char *new)
{
	struct hpkm_build *b = p->build;

	b->pairs = hpkm_arena_push(p->build->arena, b->pairs, b->pair_count,
				   sizeof(*b->pairs));
	b->pairs[b->pair_count++] = (struct hpkm_build_pair){
		.name = name,
		.target = p->target,
		.old = old,
		.new = new,
	};
}

static void add_rest(struct pairing *p, const char *name, const char *path,
		     bool own)
{
	struct hpkm_build *b = p->build;

	b->rest = hpkm_arena_push(p->build->arena, b->rest, b->rest_count,
				  sizeof(*b->rest));
	b->rest[b->rest_count++] = (struct hpkm_build_rest){
		.name = name,
		.path = path,
		.target = p->target,
		.own = own,
	};
}

static int pair_objects(struct pairing *p)
{
	const struct hpkm_members *olds = p->old;
	const struct hpkm_members *news = p->new;
	const struct hpkm_member *old, *new;
	bool linked = true;

	for (size_t i = 0; i < news->count; i++) {
		new = &news->list[i];
		old = find_member(olds, new->key);
		if (old && was_linked(p, old, &linked))
			return -1;
		if (old && !p->build->all &&
		    same_files(old->saved, new->saved)) {
			if (linked)
				add_rest(p, old->key, old->saved, true);
			continue;
		}
		if (linked || !old)
			add_pair(p, new->key, old ? old->saved : NULL,
				 new->saved);
	}
	for (size_t i = 0; i < olds->foreign_count; i++)
		add_rest(p, olds->foreign[i], olds->foreign[i], false);
	for (size_t i = 0; i < olds->count; i++) {
		old = &olds->list[i];
		if (find_member(news, old->key))
			continue;
		add_rest(p, old->key, old->saved, false);
		if (was_linked(p, old, &linked))
			return -1;
		if (linked)
			hpkm_caution(p->build->verdicts, old->key,
				     "the fix takes it out of %s; what runs keeps it",
				     news->output);
	}
	return 0;
}

/* Then the functions of one object end up in others. */
static bool is_lto(struct pairing *p)
{
	const struct hpkm_members *olds = p->old;

	for (size_t i = 0; i < olds->count; i++) {
		if (!olds->list[i].step->lto)
			continue;
		hpkm_refuse(p->build->verdicts, olds->list[i].key,
			    "it is compiled with -flto: what is in %s was generated from all of it at once when that was linked",
			    olds->output);
		return true;
	}
	return false;
}

static const struct hpkm_stray *find_stray(const struct hpkm_members *m,
					   const char *key)
{
	for (size_t i = 0; i < m->stray_count; i++)
		if (!strcmp(m->strays[i].key, key))
			return &m->strays[i];
	return NULL;
}

static bool same_strays(const struct hpkm_stray *a, const struct hpkm_stray *b)
{
	return !memcmp(a->digest, b->digest, sizeof(a->digest));
}

/*
 * An object that nobody was seen to make could hide a part of the fix: it may
 * be left from an earlier build.  One that the build has made, by a tool of
 * its own, is good when it is the same in both, or has its functions in
 * sections, as a clang does that was called by its full path.
 */
static bool is_suspect(struct pairing *p, const struct hpkm_stray *old,
		       const struct hpkm_stray *new)
{
	const char *archive;

	if (!new->saved && !(old && same_strays(old, new)))
		return true;
	if (old && !same_strays(old, new))
		return !old->saved;
	archive = hpkm_arena_printf(p->build->arena, "%s/%.*s", p->original,
				    (int)strcspn(new->key, "("), new->key);
	return !access(archive, F_OK) ||
		hpkm_tree_has(p->original, new->name, new->digest);
}

static int pair_strays(struct pairing *p)
{
	const struct hpkm_members *olds = p->old;
	const struct hpkm_members *news = p->new;
	const struct hpkm_stray *old, *new;
	size_t shown = 0;

	for (size_t i = 0; i < news->stray_count && shown < 10; i++) {
		new = &news->strays[i];
		old = find_stray(olds, new->key);
		if (!is_suspect(p, old, new)) {
			if (new->saved && (!old || p->build->all ||
					   !same_strays(old, new)))
				add_pair(p, new->key,
					 old ? old->saved : NULL, new->saved);
			continue;
		}
		if (!shown++)
			hpkm_error("%s was linked from objects that the build did not compile, so it is not known whether the fix changes them:",
				   news->output);
		hpkm_detail("%s", new->key);
	}
	if (!shown) {
		p->build->anchors[p->target].all_known = !olds->stray_count;
		return 0;
	}
	hpkm_detail("when they are left from an earlier build, have the build command remove them first: -- sh -c 'make clean; make'");
	hpkm_detail("when they were compiled now, then by a compiler that hpkm-build does not see, which is neither GCC nor clang");
	return -1;
}

int hpkm_pairing(struct hpkm_build *build, size_t target,
		 const struct hpkm_members *old,
		 const struct hpkm_members *new, const char *original)
{
	struct pairing p = {
		.build = build,
		.target = target,
		.old = old,
		.new = new,
		.original = original,
	};

	return !is_lto(&p) && (pair_strays(&p) || pair_objects(&p)) ? -1 : 0;
}
