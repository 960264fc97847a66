// SPDX-License-Identifier: GPL-2.0
/* hpkm-build: what it says at its end. */
#include <json-c/json.h>
#include <stdio.h>

#include "build_report.h"
#include "hpkm.h"

/* New code that stands for no old function. */
static bool is_new(const struct hpkm_item *item)
{
	return item->piece && item->kind == HPKM_ITEM_FUNC && !item->pair;
}

static const char *status_name(int status)
{
	switch (status) {
	case HPKM_EXIT_OK:
		return "built";
	case HPKM_EXIT_NOTHING:
		return "unchanged";
	case HPKM_EXIT_REFUSED:
		return "refused";
	default:
		return "error";
	}
}

static struct json_object *json_funcs(const struct hpkm_patch *patch)
{
	struct json_object *list = json_object_new_array(), *f;

	for (size_t i = 0; i < patch->func_count; i++) {
		const struct hpkm_patch_func *from = &patch->funcs[i];

		f = json_object_new_object();
		json_object_object_add(f, "name",
				       json_object_new_string(from->name));
		json_object_object_add(f, "object", json_object_new_string
				       (from->old->object->anchor->name));
		json_object_object_add(f, "old_size", json_object_new_int64
				       (from->old->live_size));
		json_object_object_add(f, "new_size", json_object_new_int64
				       (from->new->size));
		json_object_object_add(f, "because", json_object_new_string
				       (from->new->because));
		json_object_array_add(list, f);
	}
	return list;
}

static struct json_object *json_new_funcs(const struct hpkm_patch *patch)
{
	struct json_object *list = json_object_new_array(), *f;

	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *new = &patch->pairs[i].new;

		for (size_t k = 0; k < new->item_count; k++) {
			if (!is_new(new->items[k]))
				continue;
			f = json_object_new_object();
			json_object_object_add(f, "name",
				json_object_new_string(new->items[k]->name));
			json_object_object_add(f, "size",
				json_object_new_int64(new->items[k]->size));
			json_object_array_add(list, f);
		}
	}
	return list;
}

static struct json_object *json_verdicts(const struct hpkm_verdicts *v,
					 bool refused)
{
	struct json_object *list = json_object_new_array(), *one;

	for (size_t i = 0; i < v->count; i++) {
		if (v->list[i].refused != refused)
			continue;
		one = json_object_new_object();
		json_object_object_add(one, "symbol", json_object_new_string
				       (v->list[i].symbol));
		json_object_object_add(one, "reason", json_object_new_string
				       (v->list[i].reason));
		if (v->list[i].details)
			json_object_object_add(one, "details",
				json_object_new_string(v->list[i].details));
		json_object_array_add(list, one);
	}
	return list;
}

static bool rebuilt_any(const struct hpkm_options *o)
{
	bool any = false;

	for (size_t i = 0; i < o->target_count; i++)
		any = any || o->targets[i].rebuilt;
	return any;
}

/* In the order of the targets. */
static struct json_object *json_rebuilt(const struct hpkm_options *o)
{
	struct json_object *list = json_object_new_array();
	const char *file;

	for (size_t i = 0; i < o->target_count; i++) {
		file = o->targets[i].rebuilt;
		json_object_array_add(list, file ?
				      json_object_new_string(file) : NULL);
	}
	return list;
}

void hpkm_build_report_json(const struct hpkm_patch *patch,
			    const struct hpkm_options *o, int status,
			    size_t size)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *targets = json_object_new_array();

	for (size_t i = 0; i < o->target_count; i++)
		json_object_array_add(targets, json_object_new_string
				      (o->targets[i].path));
	json_object_object_add(doc, "patch",
			       json_object_new_string(o->info.name));
	json_object_object_add(doc, "version",
			       json_object_new_string(o->info.version));
	json_object_object_add(doc, "status",
			       json_object_new_string(status_name(status)));
	json_object_object_add(doc, "targets", targets);
	if (status == HPKM_EXIT_OK) {
		json_object_object_add(doc, "output",
				       json_object_new_string(o->output));
		json_object_object_add(doc, "image_size",
				       json_object_new_int64(size));
	}
	if (status == HPKM_EXIT_OK && rebuilt_any(o))
		json_object_object_add(doc, "rebuilt", json_rebuilt(o));
	json_object_object_add(doc, "functions", json_funcs(patch));
	json_object_object_add(doc, "new_functions", json_new_funcs(patch));
	json_object_object_add(doc, "warnings",
			       json_verdicts(&patch->verdicts, false));
	json_object_object_add(doc, "refused",
			       json_verdicts(&patch->verdicts, true));
	puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

void hpkm_build_report_text(const struct hpkm_patch *patch,
			    const struct hpkm_options *o, size_t size)
{
	printf("%s: patch %s for", o->output, o->info.name);
	for (size_t i = 0; i < patch->anchor_count; i++)
		printf("%s %s", i ? "," : "", patch->anchors[i].name);
	printf(", %zu bytes\n", size);
	for (size_t i = 0; i < patch->func_count; i++)
		printf("  replaced  %s (%llu -> %llu bytes)\n",
		       patch->funcs[i].name,
		       (unsigned long long)patch->funcs[i].old->live_size,
		       (unsigned long long)patch->funcs[i].new->size);
	for (size_t i = 0; i < patch->pair_count; i++) {
		const struct hpkm_object *new = &patch->pairs[i].new;

		for (size_t k = 0; k < new->item_count; k++)
			if (is_new(new->items[k]))
				printf("  new       %s (%llu bytes)\n",
				       new->items[k]->name,
				       (unsigned long long)
				       new->items[k]->size);
	}
	for (size_t i = 0; i < o->target_count; i++)
		if (o->targets[i].rebuilt)
			printf("%s: %s, built with the fix\n",
			       o->targets[i].rebuilt, patch->anchors[i].name);
}
