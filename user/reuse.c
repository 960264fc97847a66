// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that the second build need not compile again (stage 1).
 *
 * In the first build cc1 says what it has read, in the list that the build
 * has asked for (-MD) or else in one of ours (SUNPRO_DEPENDENCIES).  In the
 * record's directory reuse/ then has, under a digest of the command, the
 * object's name, that list, and a digest of each file.  In the second build
 * cc1 is not run when all of them are as they were.
 *
 * What this relies on is that no file appears in the second build that would
 * have been read in place of another one: build.c lets it be used only if the
 * fix changes nothing but the content of source files.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler.h"
#include "hpkm.h"
#include "reuse.h"
#include "standin.h"

static const char mark[] = "#hpkm-build: object ";

static void to_text(const uint8_t *digest, char *text)
{
	for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
}

static void digest_text(const char *s, char *text)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, strlen(s), (const uint8_t *)s);
	sha256_digest(&ctx, sizeof(digest), digest);
	to_text(digest, text);
}

static int digest_file(const char *path, char *text)
{
	uint8_t buffer[65536], digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;
	size_t n;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return -1;
	sha256_init(&ctx);
	while ((n = fread(buffer, 1, sizeof(buffer), f)) > 0)
		sha256_update(&ctx, n, buffer);
	sha256_digest(&ctx, sizeof(digest), digest);
	fclose(f);
	to_text(digest, text);
	return 0;
}

/* ---- which commands ---- */

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* Its output is more than assembler text, or depends on more than sources. */
static bool is_special(const char *arg)
{
	static const char *const leads[] = {
		"-fprofile", "-fbranch-prob", "-ftest-coverage", "-fdump",
		"-d", "-fstack-usage", "-fcallgraph-info", "-aux-info",
		"-fplugin", "-fopt-info", "-flto", "-save-temps", "@", "-MG",
		"-fmodule", "-fauto-profile", "-gsplit-dwarf",
	};

	if (starts(arg, "-dumpbase") || starts(arg, "-dumpdir"))
		return false;
	for (size_t i = 0; i < sizeof(leads) / sizeof(*leads); i++)
		if (starts(arg, leads[i]))
			return true;
	return false;
}

static bool is_temporary(const char *path)
{
	const char *dir = getenv("TMPDIR");

	if (!dir || !*dir)
		dir = "/tmp";
	return starts(path, dir) && path[strlen(dir)] == '/';
}

static const char *absolute(struct hpkm_arena *arena, const char *path)
{
	char cwd[PATH_MAX];

	if (*path == '/' || !getcwd(cwd, sizeof(cwd)))
		return path;
	return hpkm_arena_printf(arena, "%s/%s", cwd, path);
}

/*
 * Without these, the list is whole as far as the tree goes: -MMD leaves out
 * what is found in directories called the system's.
 */
static bool names_system(const char *arg)
{
	return !strcmp(arg, "-isystem") || !strcmp(arg, "-idirafter") ||
		!strcmp(arg, "-isysroot");
}

void hpkm_reuse_init(struct hpkm_arena *arena, struct hpkm_reuse *reuse,
		     const char *dir, const char *real, const char *source,
		     int argc, char **argv)
{
	static const char *const variables[] = {
		"CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LC_ALL",
		"SOURCE_DATE_EPOCH",
	};
	bool users_only = false, system = false;
	char *all;

	memset(reuse, 0, sizeof(*reuse));
	all = hpkm_arena_printf(arena, "%s\n%s", real, absolute(arena, "."));
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		const char *value = getenv(variables[i]);

		all = hpkm_arena_printf(arena, "%s\n%s", all,
					value ? value : "");
	}
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-o") && i + 1 < argc) {
			reuse->assembler = argv[++i];
			continue;
		}
		if ((!strcmp(argv[i], "-MD") || !strcmp(argv[i], "-MMD")) &&
		    i + 1 < argc) {
			reuse->list = argv[i + 1];
			users_only = !strcmp(argv[i], "-MMD");
		}
		if (!strcmp(argv[i], "-MF") && i + 1 < argc)
			reuse->list = argv[i + 1];
		system |= names_system(argv[i]);
		if (is_special(argv[i]))
			return;
		all = hpkm_arena_printf(arena, "%s\n%s", all, argv[i]);
	}
	/* A name for a file that others want, or a pipe. */
	if (!source || !reuse->assembler || !is_temporary(reuse->assembler) ||
	    (users_only && system) || getenv("DEPENDENCIES_OUTPUT") ||
	    getenv("SUNPRO_DEPENDENCIES"))
		return;
	reuse->source = absolute(arena, source);
	if (!reuse->list) {
		reuse->own_list = true;
		reuse->list = hpkm_arena_printf(arena, "%s/reuse/list.%d", dir,
						getpid());
	}
	digest_text(all, reuse->key);
}

/* ---- small files ---- */

static char *path_of(struct hpkm_arena *arena, const char *dir,
		     const char *name)
{
	return hpkm_arena_printf(arena, "%s/reuse/%s", dir, name);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	size_t size = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, size);
	return close(fd) || n != (ssize_t)size ? -1 : 0;
}

/* NULL when it can't be read. */
static char *read_text(struct hpkm_arena *arena, const char *path)
{
	struct stat st;
	char *text;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return NULL;
	text = fstat(fileno(f), &st) ? NULL :
		hpkm_arena_alloc(arena, st.st_size + 1, 1);
	if (text && fread(text, 1, st.st_size, f) != (size_t)st.st_size)
		text = NULL;
	fclose(f);
	return text;
}

/* A note is found by the name of the assembler text that both know. */
static char *note_of(struct hpkm_arena *arena, const char *dir,
		     const char *assembler)
{
	char name[65];

	digest_text(assembler, name);
	return path_of(arena, dir, hpkm_arena_printf(arena, "note.%s", name));
}

static void add(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static int write_json(const char *path, struct json_object *o)
{
	int err = write_text(path, json_object_to_json_string_ext
			     (o, JSON_C_TO_STRING_PLAIN));

	json_object_put(o);
	return err;
}

static const char *text_in(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ?
		json_object_get_string(v) : NULL;
}

/* ---- the first build ---- */

int hpkm_reuse_note(const char *dir, const struct hpkm_reuse *reuse)
{
	struct hpkm_arena arena = { 0 };
	struct json_object *o;
	int err;

	if (!*reuse->key)
		return 0;
	o = json_object_new_object();
	add(o, "key", reuse->key);
	add(o, "source", reuse->source);
	add(o, "list", absolute(&arena, reuse->list));
	json_object_object_add(o, "own",
			       json_object_new_boolean(reuse->own_list));
	err = write_json(note_of(&arena, dir, reuse->assembler), o);
	if (!err && reuse->own_list)
		err = setenv("SUNPRO_DEPENDENCIES",
			     hpkm_arena_printf(&arena, "%s object",
					       reuse->list), 1);
	hpkm_arena_free(&arena);
	return err;
}

/* A file that counts: its digest is written down.  False: can't be read. */
static bool add_file(struct json_object *files, const char *path)
{
	char digest[65];

	if (digest_file(path, digest))
		return false;
	add(files, path, digest);
	return true;
}

/* However it is spelled: a tree may be reached through a symbolic link. */
static const char *real_path(struct hpkm_arena *arena, const char *path)
{
	char *real = realpath(path, NULL);

	if (real) {
		path = hpkm_arena_printf(arena, "%s", real);
		free(real);
	}
	return path;
}

/* Each name of a rule for make, where it lies in the tree. */
static bool add_list(struct hpkm_arena *arena, struct json_object *files,
		     char *list, const char *tree)
{
	size_t n = strlen(tree), length;
	const char *path;
	char *to;

	list = strstr(list, ": ");
	if (!list)
		return false;
	for (list++; *list && *list != '\n'; list += length) {
		length = strspn(list, " \t");
		if (length)
			continue;
		if (!strncmp(list, "\\\n", 2)) {
			length = 2;
			continue;
		}
		/* "\ " is a blank, "$$" a dollar. */
		path = to = hpkm_arena_alloc(arena, strlen(list) + 1, 1);
		for (length = 0; list[length]; length++) {
			if (strchr(" \t\n", list[length]))
				break;
			if (!strncmp(list + length, "\\\n", 2))
				break;
			if ((list[length] == '\\' &&
			     strchr(" #", list[length + 1])) ||
			    !strncmp(list + length, "$$", 2))
				length++;
			*to++ = list[length];
		}
		path = real_path(arena, absolute(arena, path));
		/* The fix is not in it. */
		hpkm_compiler_in_copy(path, "the compiler reads");
		if (!strncmp(path, tree, n) && path[n] == '/' &&
		    !add_file(files, path))
			return false;
	}
	return true;
}

int hpkm_reuse_keep(struct hpkm_arena *arena, const char *dir,
		    const char *tree, const char *assembler,
		    const char *object)
{
	const char *note = note_of(arena, dir, assembler), *key, *list_path;
	struct json_object *o, *kept, *files, *own;
	char *text, *list;
	int err = 0;

	text = read_text(arena, note);
	o = text ? json_tokener_parse(text) : NULL;
	if (!o)
		return 0;
	unlink(note);
	list_path = text_in(o, "list");
	list = list_path ? read_text(arena, list_path) : NULL;
	text = read_text(arena, assembler);
	key = text_in(o, "key");
	files = json_object_new_object();
	/* What assembler text includes is in no list. */
	if (key && list && text && !strstr(text, ".incbin") &&
	    !strstr(text, ".include") && text_in(o, "source") &&
	    add_file(files, text_in(o, "source")) &&
	    add_list(arena, files, list, tree)) {
		kept = json_object_new_object();
		add(kept, "object", object);
		add(kept, "list", list);
		json_object_object_add(kept, "files", json_object_get(files));
		err = write_json(path_of(arena, dir, key), kept);
	}
	if (list_path && json_object_object_get_ex(o, "own", &own) &&
	    json_object_get_boolean(own))
		unlink(list_path);
	json_object_put(files);
	json_object_put(o);
	return err;
}

/* ---- the second build ---- */

static bool is_unchanged(struct json_object *files)
{
	struct json_object_iterator i = json_object_iter_begin(files);
	struct json_object_iterator end = json_object_iter_end(files);
	char digest[65];

	for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i))
		if (digest_file(json_object_iter_peek_name(&i), digest) ||
		    strcmp(digest, json_object_get_string
			   (json_object_iter_peek_value(&i))))
			return false;
	return true;
}

bool hpkm_reuse_find(struct hpkm_arena *arena, const char *dir,
		     const struct hpkm_reuse *reuse)
{
	struct json_object *o, *files;
	bool found;
	char *text;

	if (!*reuse->key)
		return false;
	text = read_text(arena, path_of(arena, dir, reuse->key));
	o = text ? json_tokener_parse(text) : NULL;
	found = o && text_in(o, "object") && text_in(o, "list") &&
		json_object_object_get_ex(o, "files", &files) &&
		is_unchanged(files) &&
		(reuse->own_list ||
		 !write_text(reuse->list, text_in(o, "list"))) &&
		!write_text(reuse->assembler,
			    hpkm_arena_printf(arena, "%s%s\n", mark,
					      text_in(o, "object")));
	json_object_put(o);
	return found;
}

const char *hpkm_reuse_object(struct hpkm_arena *arena, const char *assembler)
{
	char line[PATH_MAX + sizeof(mark)];
	const char *object = NULL;
	FILE *f = fopen(assembler, "re");

	if (f && fgets(line, sizeof(line), f) && starts(line, mark)) {
		line[strcspn(line, "\n")] = 0;
		object = hpkm_arena_printf(arena, "%s",
					   line + sizeof(mark) - 1);
	}
	if (f)
		fclose(f);
	return object;
}
