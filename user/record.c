// SPDX-License-Identifier: GPL-2.0
/* The record of a build (stage 1). */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"
#include "hpkm.h"
#include "record.h"

static const char *const kinds[HPKM_DONE_KINDS] = {
	[HPKM_DONE_TRANSLATE] = "translate",
	[HPKM_DONE_OBJECT] = "object",
	[HPKM_DONE_DRIVE] = "drive",
	[HPKM_DONE_LINK] = "link",
};

/* ---- writing ---- */

static void add_text(struct json_object *o, const char *key, const char *text)
{
	if (text)
		json_object_object_add(o, key, json_object_new_string(text));
}

static void add_list(struct json_object *o, const char *key,
		     const char **list, size_t count)
{
	struct json_object *array;

	if (!list || !count)
		return;
	array = json_object_new_array();
	for (size_t i = 0; i < count; i++)
		json_object_array_add(array, list[i] ?
				      json_object_new_string(list[i]) : NULL);
	json_object_object_add(o, key, array);
}

/*
 * One write to a file opened for appending: steps that end at the same time
 * in a parallel build don't mix.
 */
static int append(const char *dir, const char *line, size_t size)
{
	char *path;
	ssize_t n;
	int fd;

	if (asprintf(&path, "%s/steps", dir) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	free(path);
	if (fd < 0)
		return -1;
	n = write(fd, line, size);
	if (close(fd) || n < 0)
		return -1;
	if ((size_t)n != size) {
		errno = ENOSPC;
		return -1;
	}
	return 0;
}

int hpkm_record_add(const char *dir, const struct hpkm_done *step)
{
	struct json_object *o = json_object_new_object();
	char *line;
	int n, err;

	add_text(o, "kind", kinds[step->kind]);
	json_object_object_add(o, "driver",
			       json_object_new_int64(step->driver));
	add_text(o, "directory", step->directory);
	add_list(o, "command", step->command, step->command_count);
	add_text(o, "source", step->source);
	add_text(o, "output", step->output);
	add_text(o, "saved", step->saved);
	add_text(o, "identity", step->identity);
	add_list(o, "inputs", step->inputs, step->input_count);
	add_list(o, "input_saved", step->input_saved, step->input_count);
	add_list(o, "input_identities", step->input_identities,
		 step->input_count);
	if (step->lto)
		json_object_object_add(o, "lto",
				       json_object_new_boolean(true));
	n = asprintf(&line, "%s\n", json_object_to_json_string_ext
		     (o, JSON_C_TO_STRING_PLAIN |
		      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	if (n < 0)
		return -1;
	err = append(dir, line, n);
	free(line);
	return err;
}

int hpkm_record_save(struct hpkm_arena *arena, const char *dir,
		     const char *path, const char **saved)
{
	char *name = hpkm_arena_printf(arena, "%s/objects/XXXXXX.o", dir);
	int from;

	from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0 || hpkm_copy(from, mkostemps(name, 2, O_CLOEXEC)))
		return -1;
	*saved = name;
	return 0;
}

int hpkm_record_save_bytes(struct hpkm_arena *arena, const char *dir,
			   const uint8_t *bytes, size_t size,
			   const char **saved)
{
	char *name = hpkm_arena_printf(arena, "%s/objects/XXXXXX.o", dir);
	int fd = mkostemps(name, 2, O_CLOEXEC);
	size_t done = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	for (; done < size && n >= 0; done += n)
		n = write(fd, bytes + done, size - done);
	if (close(fd) || n < 0)
		return -1;
	*saved = name;
	return 0;
}

int hpkm_record_restore(const char *saved, const char *path)
{
	/* As the assembler does it: not into a file that others hold. */
	unlink(path);
	return hpkm_copy(open(saved, O_RDONLY | O_CLOEXEC),
			 open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			      0666));
}

/* ---- reading ---- */

static const char *get_text(struct hpkm_arena *arena, struct json_object *o,
			    const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return NULL;
	return hpkm_arena_printf(arena, "%s", json_object_get_string(v));
}

static const char **get_list(struct hpkm_arena *arena, struct json_object *o,
			     const char *key, size_t *count)
{
	struct json_object *v, *item;
	const char **list;

	*count = 0;
	if (!json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_array))
		return NULL;
	*count = json_object_array_length(v);
	list = hpkm_arena_alloc(arena, *count, sizeof(*list));
	for (size_t i = 0; i < *count; i++) {
		item = json_object_array_get_idx(v, i);
		if (item)
			list[i] = hpkm_arena_printf(arena, "%s",
						    json_object_get_string(item));
	}
	return list;
}

static int parse_step(struct hpkm_arena *arena, const char *line,
		      struct hpkm_done *step)
{
	struct json_object *o = json_tokener_parse(line), *v;
	const char *kind = o ? get_text(arena, o, "kind") : NULL;
	size_t saved_count, identity_count;
	int err = -1;

	for (int k = 0; kind && k < HPKM_DONE_KINDS; k++) {
		if (!strcmp(kind, kinds[k])) {
			step->kind = k;
			err = 0;
		}
	}
	if (err)
		goto out;
	if (json_object_object_get_ex(o, "driver", &v))
		step->driver = json_object_get_int64(v);
	step->directory = get_text(arena, o, "directory");
	step->command = get_list(arena, o, "command", &step->command_count);
	step->source = get_text(arena, o, "source");
	step->output = get_text(arena, o, "output");
	step->saved = get_text(arena, o, "saved");
	step->identity = get_text(arena, o, "identity");
	step->inputs = get_list(arena, o, "inputs", &step->input_count);
	step->input_saved = get_list(arena, o, "input_saved", &saved_count);
	step->input_identities = get_list(arena, o, "input_identities",
					  &identity_count);
	step->lto = json_object_object_get_ex(o, "lto", &v);
	if ((step->input_saved && saved_count != step->input_count) ||
	    (step->input_identities && identity_count != step->input_count))
		err = -1;
out:
	json_object_put(o);
	return err;
}

static char *steps_path(const char *dir, char *path, size_t size)
{
	snprintf(path, size, "%s/steps", dir);
	return path;
}

int hpkm_record_read(struct hpkm_arena *arena, const char *dir,
		     struct hpkm_record *record)
{
	char path[4096], *line = NULL;
	size_t room = 0;
	FILE *f;
	int err = 0;

	memset(record, 0, sizeof(*record));
	f = fopen(steps_path(dir, path, sizeof(path)), "re");
	if (!f) {
		/* Nothing was compiled: the caller has better words for it. */
		if (errno == ENOENT)
			return 0;
		hpkm_error("cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	while (!err && getline(&line, &room, f) > 0) {
		record->steps = hpkm_arena_push(arena, record->steps,
						record->count,
						sizeof(*record->steps));
		memset(&record->steps[record->count], 0,
		       sizeof(*record->steps));
		err = parse_step(arena, line, &record->steps[record->count]);
		record->count++;
	}
	if (err)
		hpkm_error("%s: line %zu is damaged", path, record->count);
	free(line);
	fclose(f);
	return err;
}

size_t hpkm_record_progress(const char *dir)
{
	static const char object[] = "{\"kind\":\"object\"";
	char path[4096], *line = NULL;
	size_t room = 0, count = 0;
	FILE *f;

	f = fopen(steps_path(dir, path, sizeof(path)), "re");
	if (!f)
		return 0;
	while (getline(&line, &room, f) > 0)
		count += !strncmp(line, object, sizeof(object) - 1);
	free(line);
	fclose(f);
	return count;
}
