// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 1, build.  In its directory are
 *
 *   1-source/NAME	the tree as it was given
 *   2-old/		log, record and objects of the build without the fix
 *   3-fix/		what patch said
 *   4-new/		log, record and objects of the build with it
 *   tree/NAME		where both are built, one after the other
 *   tools/, programs/	names of compilers, see compiler.h
 *
 * Both builds start from the same files, at the same path, and run the same
 * command: what differs between their objects comes from the fix.
 *
 * Where the system lets it, the copy is mounted over the tree that was given,
 * for the build only.  Then all names in it are the right ones, those in
 * makefiles that were configured there, and in __FILE__ too, and nothing can
 * write in the original.  Elsewhere the build sees the copy at its own place.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "build.h"
#include "compiler.h"
#include "copy.h"
#include "fix.h"
#include "hpkm.h"
#include "job.h"
#include "members.h"
#include "origin.h"
#include "pairing.h"
#include "tree.h"

#define LINES_SHOWN	25

extern char **environ;

enum { STAGE_SOURCE, STAGE_OLD, STAGE_FIX, STAGE_NEW, STAGE_TREE, STAGE_TOOLS,
       STAGE_PROGRAMS, STAGES };

static const char *const stages[STAGES] = {
	"1-source", "2-old", "3-fix", "4-new", "tree", "tools", "programs",
};

struct side {
	const char *dir;
	struct hpkm_record record;
	struct hpkm_members *members;	/* of each target */
};

struct work {
	struct hpkm_build *build;
	struct hpkm_arena *arena;
	const char *source;	/* absolute */
	const char *original, *tree;
	const char *seen;	/* what the build takes the tree's path for */
	const char *named;	/* ... and is to compile in for it */
	struct side old, new;
	bool plain;		/* nothing but code changes */
	/* For progress. */
	const char *doing, *record;
	bool shown;
};

static const char *in_work(struct work *w, int stage, const char *name)
{
	return hpkm_arena_printf(w->arena, "%s/%s%s%s", w->build->work,
				 stages[stage], *name ? "/" : "", name);
}

static int make_dir(const char *path)
{
	if (!mkdir(path, 0777) || errno == EEXIST)
		return 0;
	hpkm_error("cannot make %s: %s", path, strerror(errno));
	return -1;
}

/* ---- progress ---- */

static void tick(void *data)
{
	struct work *w = data;

	if (!isatty(STDERR_FILENO))
		return;
	w->shown = true;
	if (w->record)
		fprintf(stderr, "\r\033[K%s: %zu objects", w->doing,
			hpkm_record_progress(w->record));
	else
		fprintf(stderr, "\r\033[K%s", w->doing);
}

static void doing(struct work *w, const char *what, const char *record)
{
	if (w->shown)
		fprintf(stderr, "\r\033[K");
	w->shown = false;
	w->doing = what;
	w->record = record;
	if (what)
		tick(w);
}

/* ---- before the builds ---- */

static bool has_file(const char *dir, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return !access(path, F_OK);
}

/* The default command needs a makefile. */
static int check_makefile(const struct hpkm_build *b)
{
	static const char *const makefiles[] = {
		"GNUmakefile", "makefile", "Makefile",
	};
	static const struct {
		const char *file, *command;
	} others[] = {
		{ "configure", "./configure && make" },
		{ "CMakeLists.txt", "cmake -S . -B build -DCMAKE_BUILD_TYPE=... && make -C build" },
		{ "meson.build", "meson setup build && ninja -C build" },
		{ "configure.ac", "autoreconf -i && ./configure && make" },
		{ "build.ninja", "ninja" },
	};

	if (b->command)
		return 0;
	for (int i = 0; i < 3; i++)
		if (has_file(b->source, makefiles[i]))
			return 0;
	hpkm_error("%s has no makefile, and no build command was given",
		   b->source);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (!has_file(b->source, others[i].file))
			continue;
		hpkm_detail("it has %s: give the commands that TARGET was built with, as in",
			    others[i].file);
		hpkm_detail("hpkm-build ... -- sh -c '%s'", others[i].command);
		return -1;
	}
	hpkm_detail("give the command that TARGET was built with: hpkm-build ... -- COMMAND");
	return -1;
}

static const char *resolve(struct work *w, const char *path)
{
	char *real = realpath(path, NULL);
	const char *resolved;

	if (!real) {
		hpkm_error("cannot open %s: %s", path, strerror(errno));
		return NULL;
	}
	resolved = hpkm_arena_printf(w->arena, "%s", real);
	free(real);
	return resolved;
}

/* Makes the directory of all stages, but not within the source. */
static int open_work(struct work *w)
{
	struct hpkm_build *b = w->build;
	const char *temporary = getenv("TMPDIR"), *parent, *slash;
	char *path;
	size_t n;

	w->source = resolve(w, b->source);
	if (!w->source)
		return -1;
	if (!temporary || !*temporary)
		temporary = "/var/tmp";
	parent = temporary;
	if (b->keep) {
		slash = strrchr(b->keep, '/');
		parent = !slash ? "." : slash == b->keep ? "/" :
			hpkm_arena_printf(w->arena, "%.*s",
					  (int)(slash - b->keep), b->keep);
		if (!access(b->keep, F_OK))
			parent = b->keep;
	}
	parent = resolve(w, parent);
	if (!parent)
		return -1;
	n = strlen(w->source);
	if (!strncmp(parent, w->source, n) &&
	    (!parent[n] || parent[n] == '/')) {
		hpkm_error("%s is in %s, where nothing is written",
			   b->keep ? b->keep : temporary, b->source);
		hpkm_detail(b->keep ? "choose another directory for --keep" :
			    "set TMPDIR to a directory elsewhere");
		return -1;
	}
	path = hpkm_arena_printf(w->arena, "%s/hpkm-build.XXXXXX", parent);
	if (b->keep ? make_dir(b->keep) : !mkdtemp(path)) {
		if (!b->keep)
			hpkm_error("cannot make a directory in %s: %s",
				   temporary, strerror(errno));
		return -1;
	}
	b->work = resolve(w, b->keep ? b->keep : path);
	return b->work ? 0 : -1;
}

static int make_stages(struct work *w)
{
	/* A kept one from an earlier run. */
	for (int i = 0; i < STAGES; i++) {
		hpkm_tree_remove(in_work(w, i, ""));
		if (make_dir(in_work(w, i, "")))
			return -1;
	}
	w->original = in_work(w, STAGE_SOURCE, strrchr(w->source, '/') + 1);
	w->tree = in_work(w, STAGE_TREE, strrchr(w->source, '/') + 1);
	w->seen = hpkm_job_can_cover() ? w->source : w->tree;
	w->named = hpkm_origin_find(w->arena, &w->build->anchors[0], w->source);
	if (!w->named)
		w->named = w->source;
	w->old.dir = in_work(w, STAGE_OLD, "");
	w->new.dir = in_work(w, STAGE_NEW, "");
	return make_dir(in_work(w, STAGE_OLD, "objects")) ||
		make_dir(in_work(w, STAGE_OLD, "reuse")) ||
		make_dir(in_work(w, STAGE_NEW, "objects")) ? -1 : 0;
}

static int add_tool(struct work *w, const char *myself, const char *name)
{
	const char *link = in_work(w, STAGE_TOOLS, name);

	if (!symlink(myself, link) || errno == EEXIST)
		return 0;
	hpkm_error("cannot make %s: %s", link, strerror(errno));
	return -1;
}

/* The program that runs may be replaced, by an upgrade, while we build. */
static const char *copy_myself(struct work *w)
{
	const char *copy = in_work(w, STAGE_TOOLS, "hpkm");

	if (!hpkm_copy(open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
		       open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			    0755)))
		return copy;
	hpkm_error("cannot make %s: %s", copy, strerror(errno));
	return NULL;
}

/* Each compiler and linker in PATH gets one that stands in for it. */
static int make_tools(struct work *w)
{
	const char *list = getenv("PATH"), *end;
	const char *myself = copy_myself(w);
	struct dirent *entry;
	char dir[PATH_MAX];
	int err = 0;
	DIR *d;

	if (!myself)
		return -1;
	err = add_tool(w, myself, "cc1") || add_tool(w, myself, "cc1plus");
	for (; list && *list && !err; list = *end ? end + 1 : end) {
		end = strchrnul(list, ':');
		snprintf(dir, sizeof(dir), "%.*s", (int)(end - list), list);
		d = opendir(dir);
		while (d && !err && (entry = readdir(d)))
			if (hpkm_compiler_name(entry->d_name))
				err = add_tool(w, myself, entry->d_name);
		if (d)
			closedir(d);
	}
	return err ? -1 : 0;
}

/* ---- one build ---- */

static bool is_set_by_us(const char *variable)
{
	static const char *const names[] = {
		"PATH", "COMPILER_PATH", "PWD", "OLDPWD", "CCACHE_DISABLE",
		/* Those of a make that may have run hpkm-build. */
		"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES",
		HPKM_BUILD_RECORD, HPKM_BUILD_WORK, HPKM_BUILD_TREE,
		HPKM_BUILD_NAME, HPKM_BUILD_SOURCE, HPKM_BUILD_COMPILER_PATH,
		HPKM_BUILD_REUSE, "QA_OVERRIDE_GCC3_OPTIONS",
		"CCC_OVERRIDE_OPTIONS",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);

		if (!strncmp(variable, names[i], n) && variable[n] == '=')
			return true;
	}
	return false;
}

/* "#": without telling; "+": appended. */
static const char clang_flags[] =
	"#+-ffunction-sections +-fdata-sections +-Qunused-arguments";

static char **environment(struct work *w, const struct side *side)
{
	const char *path = getenv("PATH"), *programs = getenv("COMPILER_PATH");
	const char *tools = in_work(w, STAGE_TOOLS, "");
	char **env = NULL;
	size_t n = 0;

	for (size_t i = 0; environ[i]; i++) {
		if (is_set_by_us(environ[i]))
			continue;
		env = hpkm_arena_push(w->arena, env, n, sizeof(*env));
		env[n++] = environ[i];
	}
#define SET(...) do { \
	env = hpkm_arena_push(w->arena, env, n, sizeof(*env)); \
	env[n++] = hpkm_arena_printf(w->arena, __VA_ARGS__); \
} while (0)
	SET("PATH=%s:%s", tools, path ? path : "/usr/bin:/bin");
	SET("COMPILER_PATH=%s%s%s", tools, programs ? ":" : "",
	    programs ? programs : "");
	if (programs)
		SET("%s=%s", HPKM_BUILD_COMPILER_PATH, programs);
	SET("PWD=%s", w->seen);
	SET("CCACHE_DISABLE=1");
	SET("%s=%s", HPKM_BUILD_RECORD, side->dir);
	SET("%s=%s", HPKM_BUILD_WORK, w->build->work);
	SET("%s=%s", HPKM_BUILD_TREE, w->seen);
	if (strcmp(w->seen, w->named))
		SET("%s=%s", HPKM_BUILD_NAME, w->named);
	if (w->seen != w->source)
		SET("%s=%s", HPKM_BUILD_SOURCE, w->source);
	/* For a clang that is called by its full path; newer ones: the other. */
	SET("QA_OVERRIDE_GCC3_OPTIONS=%s", clang_flags);
	SET("CCC_OVERRIDE_OPTIONS=%s", clang_flags);
	if (side == &w->new)
		SET("%s=%s", HPKM_BUILD_REUSE, w->plain ? w->old.dir : "");
	/* __DATE__ and the like must be the same in both builds. */
	if (!getenv("SOURCE_DATE_EPOCH"))
		SET("SOURCE_DATE_EPOCH=0");
#undef SET
	env = hpkm_arena_push(w->arena, env, n, sizeof(*env));
	env[n] = NULL;
	return env;
}

static bool tells_why(const char *line)
{
	static const char *const signs[] = {
		" error: ", ": error", "fatal error:", "undefined reference",
		"multiple definition", "cannot find -l", "No rule to make",
		": not found", "Command not found", ": Error ", "CMake Error",
		"configure: error",
	};

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		if (strstr(line, signs[i]))
			return true;
	return false;
}

/*
 * The lines from the first one that tells of an error: in a parallel build,
 * much may come after it.  Else the last ones.
 */
static void show_log(const char *path)
{
	char *line = NULL, *ring[LINES_SHOWN] = { NULL };
	size_t room = 0, count = 0, first = SIZE_MAX;
	FILE *f = fopen(path, "re");

	while (f && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\r\n")] = 0;
		if (first == SIZE_MAX && tells_why(line))
			first = count;
		/* What precedes it says where it is. */
		if (first != SIZE_MAX && count >= first + LINES_SHOWN - 3)
			break;
		free(ring[count % LINES_SHOWN]);
		ring[count++ % LINES_SHOWN] = strdup(line);
	}
	room = first == SIZE_MAX ? count - (count < LINES_SHOWN ? count :
					    LINES_SHOWN) :
		first < 3 ? 0 : first - 3;
	for (size_t i = room; i < count; i++)
		if (ring[i % LINES_SHOWN])
			hpkm_detail("%s", ring[i % LINES_SHOWN]);
	for (size_t i = 0; i < LINES_SHOWN; i++)
		free(ring[i]);
	free(line);
	if (f)
		fclose(f);
}

/* The next build has the same place. */
static int save_linked(struct work *w, struct side *side, size_t target,
		       const char **saved)
{
	const char *from = hpkm_arena_printf(w->arena, "%s/%s", w->tree,
					     side->members[target].output);

	*saved = hpkm_arena_printf(w->arena, "%s/linked.%zu", side->dir,
				   target);
	if (!hpkm_copy(open(from, O_RDONLY | O_CLOEXEC),
		       open(*saved, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			    0755)))
		return 0;
	hpkm_error("cannot copy %s to %s: %s", from, *saved, strerror(errno));
	return -1;
}

static int build_tree(struct work *w, struct side *side, const char *how)
{
	const struct hpkm_build *b = w->build;
	char *make[] = { "make", NULL, NULL };
	struct hpkm_job job = {
		.argv = b->command ? b->command : make,
		.env = environment(w, side),
		.directory = w->seen,
		.cover = w->seen == w->source ? w->tree : NULL,
		.log = hpkm_arena_printf(w->arena, "%s/log", side->dir),
		.tick = tick,
		.data = w,
	};
	int status;

	make[1] = hpkm_arena_printf(w->arena, "-j%ld",
				    sysconf(_SC_NPROCESSORS_ONLN));
	status = hpkm_job_run(&job);
	doing(w, NULL, NULL);
	if (status < 0)
		return -1;
	if (status) {
		hpkm_error("the build %s failed: '%s' ended with status %d",
			   how, job.argv[0], status);
		show_log(job.log);
		if (b->keep)
			hpkm_detail("all of its output is in %s", job.log);
		else
			hpkm_detail("--keep DIR keeps all of its output");
		return -1;
	}
	if (hpkm_record_read(w->arena, side->dir, &side->record))
		return -1;
	side->members = hpkm_arena_alloc(w->arena, b->anchor_count,
					 sizeof(*side->members));
	for (size_t i = 0; i < b->anchor_count; i++) {
		struct hpkm_build_linked *l = &b->linked[i];

		if (hpkm_members_find(w->arena, &side->record, side->dir,
				      w->tree, w->seen, &b->anchors[i],
				      &side->members[i]) ||
		    (l->wanted && save_linked(w, side, i, side == &w->old ?
					      &l->old : &l->new)))
			return -1;
	}
	return 0;
}

/* ---- the stages ---- */

static int copy_source(struct work *w)
{
	const char *log = in_work(w, STAGE_FIX, "copy.log");

	doing(w, "copying the source", NULL);
	return hpkm_tree_copy(w->source, w->original, log) ||
		hpkm_tree_age(w->original) ||
		(w->seen != w->source &&
		 hpkm_tree_unconfigure(w->original, w->source)) ||
		hpkm_tree_copy(w->original, w->tree, log);
}

static int apply_fixes(struct work *w)
{
	struct hpkm_build *b = w->build;
	time_t since;

	doing(w, "applying the fix", NULL);
	hpkm_tree_remove(w->tree);
	if (hpkm_tree_copy(w->original, w->tree,
			   in_work(w, STAGE_FIX, "copy.log")))
		return -1;
	since = time(NULL);
	w->plain = true;
	doing(w, NULL, NULL);
	for (size_t i = 0; i < b->fix_count; i++) {
		const char *log, *rejects;
		int levels = hpkm_fix_levels(w->tree, b->fixes[i]);

		if (levels < 0)
			return -1;
		w->plain = w->plain && hpkm_fix_is_plain(w->tree, b->fixes[i],
							 levels);
		log = hpkm_arena_printf(w->arena, "%zu.log", i + 1);
		rejects = hpkm_arena_printf(w->arena, "%zu.rej", i + 1);
		if (hpkm_fix_apply(w->arena, w->tree, b->fixes[i], levels,
				   in_work(w, STAGE_FIX, log),
				   in_work(w, STAGE_FIX, rejects)))
			return -1;
	}
	return hpkm_tree_level(w->tree, since);
}

static int run_stages(struct work *w)
{
	if (copy_source(w))
		return -1;
	doing(w, "building without the fix", w->old.dir);
	if (build_tree(w, &w->old, "without the fix"))
		return -1;
	if (w->build->fix_count) {
		if (apply_fixes(w))
			return -1;
		doing(w, "building with the fix", w->new.dir);
		if (build_tree(w, &w->new, "with the fix"))
			return -1;
	} else {
		w->new = w->old;
	}
	for (size_t i = 0; i < w->build->anchor_count; i++)
		if (hpkm_pairing(w->build, i, &w->old.members[i],
				 &w->new.members[i], w->original))
			return -1;
	return 0;
}

int hpkm_build_run(struct hpkm_build *b)
{
	struct work w = { .build = b, .arena = b->arena };
	int err = 0;

	/* What a long build would end with otherwise. */
	for (size_t i = 0; i < b->fix_count; i++)
		err = err || hpkm_fix_check(b->fixes[i]);
	hpkm_job_start();
	err = err || check_makefile(b) || open_work(&w) || make_stages(&w) ||
		make_tools(&w) || run_stages(&w);
	doing(&w, NULL, NULL);
	if (hpkm_job_interrupted())
		err = -1;
	return err ? HPKM_EXIT_ERROR : HPKM_EXIT_OK;
}

void hpkm_build_finish(struct hpkm_build *b)
{
	if (b->work && !b->keep)
		hpkm_tree_remove(b->work);
	hpkm_job_finish();
}
