// SPDX-License-Identifier: GPL-2.0
/* hpkm-inspect: what is in a patch object. */
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "hpkm.h"
#include "image.h"
#include "pack.h"

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *to)
{
	fputs("usage: hpkm-inspect FIX.hpkm [--json]\n"
	      "\n"
	      "Shows what is in a patch object.\n", to);
}

static struct json_object *text(const char *s)
{
	return json_object_new_string(s);
}

/* Offsets and addresses, which are read in base 16. */
static struct json_object *hex(long long value)
{
	char s[32];

	snprintf(s, sizeof(s), "%s0x%llx", value < 0 ? "-" : "",
		 value < 0 ? -(unsigned long long)value :
		 (unsigned long long)value);
	return text(s);
}

static struct json_object *bytes(const __u8 *from, size_t count)
{
	char s[2 * HPKM_ID_MAX + 1] = "";

	for (size_t i = 0; i < count; i++)
		snprintf(s + 2 * i, 3, "%02x", from[i]);
	return text(s);
}

static const char *prot_name(__u32 prot)
{
	return prot & HPKM_PROT_EXEC ? "r-x" :
		prot & HPKM_PROT_FRESH ? "rw- fresh" :
		prot & HPKM_PROT_WRITE ? "rw-" : "r--";
}

#define add(object, key, value) json_object_object_add(object, key, value)

static struct json_object *objects(const void *image)
{
	struct json_object *list = json_object_new_array(), *one;

	for (__u32 i = 0; i < hpkm_image_header(image)->objects.count; i++) {
		const struct hpkm_image_object *o =
			&hpkm_image_objects(image)[i];

		one = json_object_new_object();
		add(one, "name", text(hpkm_image_string(image, o->name)));
		add(one, "role", text(o->role == HPKM_OBJECT_ANCHOR ?
				      "anchor" : "referenced"));
		add(one, o->id_kind == HPKM_ID_BUILD_ID ? "build_id" :
		    "page_digest", bytes(o->id, o->id_size));
		add(one, "id_offset", hex(o->id_offset));
		add(one, "size", hex(o->size));
		add(one, "fixed", json_object_new_boolean
		    (o->flags & HPKM_OBJECT_FIXED));
		if (o->flags & HPKM_OBJECT_FIXED)
			add(one, "link_base", hex(o->link_base));
		if (o->role == HPKM_OBJECT_ANCHOR) {
			add(one, "span_size", hex(o->span_size));
			add(one, "span_distance", hex(o->span_distance));
		}
		json_object_array_add(list, one);
	}
	return list;
}

static struct json_object *segments(const void *image)
{
	struct json_object *list = json_object_new_array(), *one;

	for (__u32 i = 0; i < hpkm_image_header(image)->segments.count; i++) {
		const struct hpkm_image_segment *s =
			&hpkm_image_segments(image)[i];

		one = json_object_new_object();
		add(one, "object", json_object_new_int64(s->object));
		add(one, "prot", text(prot_name(s->prot)));
		add(one, "mem_offset", hex(s->mem_offset));
		add(one, "mem_size", hex(s->mem_size));
		add(one, "data_size", hex(s->data_size));
		json_object_array_add(list, one);
	}
	return list;
}

static struct json_object *funcs(const void *image)
{
	struct json_object *list = json_object_new_array(), *one;

	for (__u32 i = 0; i < hpkm_image_header(image)->funcs.count; i++) {
		const struct hpkm_image_func *f = &hpkm_image_funcs(image)[i];

		one = json_object_new_object();
		add(one, "object", json_object_new_int64(f->object));
		add(one, "name", text(hpkm_image_string(image, f->name)));
		add(one, "old_offset", hex(f->old_offset));
		add(one, "old_size", json_object_new_int64(f->old_size));
		add(one, "new_offset", hex(f->new_offset));
		add(one, "new_size", json_object_new_int64(f->new_size));
		add(one, "window", bytes(f->window, f->window_size));
		add(one, "loops", json_object_new_boolean
		    (f->flags & HPKM_FUNC_LOOPS));
		add(one, "digest", bytes(f->digest, HPKM_DIGEST_SIZE));
		json_object_array_add(list, one);
	}
	return list;
}

static struct json_object *fixups(const void *image)
{
	static const char *const kinds[] = {
		[HPKM_FIXUP_ABS64] = "abs64", [HPKM_FIXUP_ABS32] = "abs32",
		[HPKM_FIXUP_ABS32S] = "abs32s", [HPKM_FIXUP_PC32] = "pc32",
		[HPKM_FIXUP_PC64] = "pc64", [HPKM_FIXUP_COPY64] = "copy64",
	};
	static const char *const relatives[] = {
		[HPKM_RELATIVE_OBJECT] = "object",
		[HPKM_RELATIVE_SPAN] = "span",
		[HPKM_RELATIVE_EXTERN] = "extern",
	};
	struct json_object *list = json_object_new_array(), *one;

	for (__u32 i = 0; i < hpkm_image_header(image)->fixups.count; i++) {
		const struct hpkm_image_fixup *x =
			&hpkm_image_fixups(image)[i];

		one = json_object_new_object();
		add(one, "kind", text(kinds[x->kind]));
		add(one, "relative", text(relatives[x->relative]));
		add(one, "object", json_object_new_int64(x->object));
		add(one, "segment", json_object_new_int64(x->segment));
		add(one, "place", hex(x->place));
		add(one, "addend", hex(x->addend));
		json_object_array_add(list, one);
	}
	return list;
}

static struct json_object *externs(const void *image)
{
	const struct hpkm_image_extern *e = hpkm_image_externs(image);
	struct json_object *list = json_object_new_array();

	for (__u32 i = 0; i < hpkm_image_header(image)->externs.count; i++) {
		struct json_object *o = json_object_new_object();

		add(o, "name", text(hpkm_image_string(image, e[i].name)));
		add(o, "version", text(hpkm_image_string(image,
							 e[i].version)));
		add(o, "object", json_object_new_int64(e[i].object));
		add(o, "weak", json_object_new_boolean(e[i].flags &
						       HPKM_EXTERN_WEAK));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *hooks(const void *image)
{
	const struct hpkm_image_hook *h = hpkm_image_hooks(image);
	struct json_object *list = json_object_new_array(), *one;

	for (__u32 i = 0; i < hpkm_image_header(image)->hooks.count; i++) {
		one = json_object_new_object();
		add(one, "object", json_object_new_int64(h[i].object));
		add(one, "apply", json_object_new_boolean
		    (h[i].flags & HPKM_HOOK_APPLY));
		add(one, "revert", json_object_new_boolean
		    (h[i].flags & HPKM_HOOK_REVERT));
		add(one, "state", hex(h[i].state));
		add(one, "control", hex(h[i].control));
		json_object_array_add(list, one);
	}
	return list;
}

static struct json_object *parts(const void *image)
{
	const struct hpkm_image_part *p = hpkm_image_parts(image);
	struct json_object *list = json_object_new_array();

	for (__u32 i = 0; i < hpkm_image_header(image)->parts.count; i++) {
		struct json_object *o = json_object_new_object();

		add(o, "function", text(hpkm_image_string(image,
				hpkm_image_funcs(image)[p[i].func].name)));
		add(o, "old_offset", json_object_new_int64(p[i].old_offset));
		add(o, "old_size", json_object_new_int64(p[i].old_size));
		json_object_array_add(list, o);
	}
	return list;
}

static void show_json(const void *image)
{
	const struct hpkm_image_header *h = hpkm_image_header(image);
	struct json_object *doc = json_object_new_object();
	struct json_object *list = json_object_new_array();

	for (__u32 i = 0; i < h->depends.count; i++)
		json_object_array_add(list, text(hpkm_image_string(image,
				hpkm_image_depends(image)[i])));
	add(doc, "patch", text(hpkm_image_string(image, h->name)));
	add(doc, "version", text(hpkm_image_string(image, h->version)));
	add(doc, "description", text(hpkm_image_string(image,
						       h->description)));
	add(doc, "format", json_object_new_int64(h->format));
	add(doc, "machine", json_object_new_int64(h->machine));
	add(doc, "size", json_object_new_int64(h->size));
	add(doc, "replace", json_object_new_boolean(h->flags &
						    HPKM_IMAGE_REPLACE));
	add(doc, "depends", list);
	add(doc, "objects", objects(image));
	add(doc, "segments", segments(image));
	add(doc, "functions", funcs(image));
	add(doc, "parts", parts(image));
	add(doc, "externs", externs(image));
	add(doc, "hooks", hooks(image));
	add(doc, "fixups", fixups(image));
	puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

static void show_object(const void *image, __u32 i)
{
	const struct hpkm_image_object *o = &hpkm_image_objects(image)[i];

	printf("object %s\n", hpkm_image_string(image, o->name));
	printf("  %-12s", o->id_kind == HPKM_ID_BUILD_ID ? "build-id" :
	       "page digest");
	for (__u16 k = 0; k < o->id_size; k++)
		printf("%02x", o->id[k]);
	printf("\n");
	if (o->flags & HPKM_OBJECT_FIXED)
		printf("  %-12s0x%llx\n", "fixed at",
		       (unsigned long long)o->link_base);
	if (o->role != HPKM_OBJECT_ANCHOR)
		return;
	printf("  %-12s%lld KiB, %s0x%llx from its base\n", "span",
	       (long long)o->span_size >> 10, o->span_distance < 0 ? "-" : "+",
	       (unsigned long long)(o->span_distance < 0 ? -o->span_distance :
				    o->span_distance));
	for (__u32 k = 0; k < hpkm_image_header(image)->segments.count; k++) {
		const struct hpkm_image_segment *s =
			&hpkm_image_segments(image)[k];

		if (s->object == i)
			printf("  %-12s%s at 0x%llx, %u bytes of 0x%llx\n",
			       "segment", prot_name(s->prot),
			       (unsigned long long)s->mem_offset, s->data_size,
			       (unsigned long long)s->mem_size);
	}
	for (__u32 k = 0; k < hpkm_image_header(image)->funcs.count; k++) {
		const struct hpkm_image_func *f = &hpkm_image_funcs(image)[k];

		if (f->object == i)
			printf("  %-12s%s at 0x%llx, %llu -> %llu bytes, window %u%s\n",
			       "function", hpkm_image_string(image, f->name),
			       (unsigned long long)f->old_offset,
			       (unsigned long long)f->old_size,
			       (unsigned long long)f->new_size,
			       f->window_size,
			       f->flags & HPKM_FUNC_LOOPS ? ", loops" : "");
	}
}

static void show_parts(const void *image)
{
	const struct hpkm_image_part *p = hpkm_image_parts(image);

	for (__u32 i = 0; i < hpkm_image_header(image)->parts.count; i++)
		printf("  %-12sof %s at 0x%llx, %llu bytes\n", "part",
		       hpkm_image_string(image, hpkm_image_funcs(image)
					 [p[i].func].name),
		       (unsigned long long)p[i].old_offset,
		       (unsigned long long)p[i].old_size);
}

static void show_hooks(const void *image)
{
	const struct hpkm_image_hook *h = hpkm_image_hooks(image);

	for (__u32 i = 0; i < hpkm_image_header(image)->hooks.count; i++)
		printf("  %-12s%s%s%s for %s\n", "hooks",
		       h[i].flags & HPKM_HOOK_APPLY ? "apply" : "",
		       h[i].flags == (HPKM_HOOK_APPLY | HPKM_HOOK_REVERT) ?
		       " and " : "",
		       h[i].flags & HPKM_HOOK_REVERT ? "revert" : "",
		       hpkm_image_string(image, hpkm_image_objects(image)
					 [h[i].object].name));
}

static void show_externs(const void *image)
{
	const struct hpkm_image_extern *e = hpkm_image_externs(image);

	for (__u32 i = 0; i < hpkm_image_header(image)->externs.count; i++) {
		const char *version = hpkm_image_string(image, e[i].version);

		printf("  %-12s%s%s%s%s\n", "extern",
		       hpkm_image_string(image, e[i].name),
		       *version ? "@" : "", version,
		       e[i].flags & HPKM_EXTERN_WEAK ? " (weak)" : "");
	}
}

static void show_text(const void *image)
{
	const struct hpkm_image_header *h = hpkm_image_header(image);
	const char *version = hpkm_image_string(image, h->version);
	const char *description = hpkm_image_string(image, h->description);

	printf("patch %s%s%s, %u bytes, %u fixups%s\n",
	       hpkm_image_string(image, h->name), *version ? " version " : "",
	       version, h->size, h->fixups.count,
	       h->flags & HPKM_IMAGE_REPLACE ? ", replaces all others" : "");
	if (*description)
		printf("%s\n", description);
	for (__u32 i = 0; i < h->depends.count; i++)
		printf("depends on %s\n", hpkm_image_string(image,
				hpkm_image_depends(image)[i]));
	for (__u32 i = 0; i < h->objects.count; i++)
		show_object(image, i);
	show_parts(image);
	show_externs(image);
	show_hooks(image);
}

int cmd_inspect(int argc, char **argv)
{
	struct hpkm_arena arena = { 0 };
	bool json = false;
	uint8_t *image;
	size_t size;
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'h':
			usage(stdout);
			return HPKM_EXIT_OK;
		default:
			usage(stderr);
			return HPKM_EXIT_USAGE;
		}
	}
	if (argc - optind != 1) {
		usage(stderr);
		return HPKM_EXIT_USAGE;
	}
	image = hpkm_pack_read(&arena, argv[optind], &size);
	if (image && json)
		show_json(image);
	else if (image)
		show_text(image);
	hpkm_arena_free(&arena);
	return image ? HPKM_EXIT_OK : HPKM_EXIT_ERROR;
}
