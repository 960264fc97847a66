// SPDX-License-Identifier: GPL-2.0
/*
 * Host unit tests: ELF files, stages 2 to 4, and the image check.
 * usage: unit DIR, where the Makefile has built the fixtures.  With UNIT_LOG in
 * the environment, what the tools say goes to unit.log.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/arch.h"
#include "diff.h"
#include "hpkm.h"
#include "image.h"
#include "pack.h"

static const char *dir;
static int count, failed;

static void ok(bool good, const char *text)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++count, text);
	failed += !good;
}

/* Standard error, and for tools standard output, are silent meanwhile. */
static int saved[3];

static void hush(void)
{
	int null = open(getenv("UNIT_LOG") ? "unit.log" : "/dev/null",
			O_WRONLY | O_CREAT | O_TRUNC, 0644);

	for (int i = 1; i < 3; i++) {
		fflush(NULL);
		saved[i] = dup(i);
		dup2(null, i);
	}
	close(null);
}

static void unhush(void)
{
	for (int i = 1; i < 3; i++) {
		fflush(NULL);
		dup2(saved[i], i);
		close(saved[i]);
	}
}

static char *in_dir(const char *name)
{
	static char paths[8][512];
	static int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void test_arena(void)
{
	struct hpkm_arena a = { 0 };
	uint32_t *list = NULL;
	bool good = true;

	for (uint32_t i = 0; i < 10000; i++) {
		list = hpkm_arena_push(&a, list, i, sizeof(*list));
		list[i] = i;
	}
	for (uint32_t i = 0; i < 10000; i++)
		good &= list[i] == i;
	ok(good, "arena: a list keeps its elements while it grows");
	ok(!strcmp(hpkm_arena_printf(&a, "%s-%d", "x", 5), "x-5"),
	   "arena: formatted text");
	hpkm_arena_free(&a);
}

static void test_names(void)
{
	static const struct {
		const char *name;
		size_t base;
	} names[] = {
		{ "foo", 3 }, { "foo.0", 3 }, { "foo.1234", 3 },
		{ "foo.isra.0", 8 }, { "foo.cold", 8 }, { "foo.1.2", 3 },
		{ "foo1", 4 }, { ".0", 2 }, { "", 0 }, { "5", 1 },
	};
	bool good = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		good &= hpkm_name_base(names[i].name) == names[i].base;
	ok(good, "names: the compiler's numbers are told from the name");
}

static void test_arch(void)
{
	static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x55 };
	static const uint8_t push[] = { 0x55, 0x48, 0x89, 0xe5 };
	static const uint8_t nops[] = { 0x90, 0x0f, 0x1f, 0x44, 0, 0, 0xc3 };
	static const uint8_t plt[] = { 0xff, 0x25, 0x10, 0, 0, 0 };
	const struct hpkm_arch *x86 = hpkm_arch_find(EM_X86_64);
	unsigned int kept;
	uint64_t slot;

	ok(x86->window(push, sizeof(push), &kept) == 6 && kept == 0,
	   "x86: window of a plain function");
	ok(x86->window(endbr, sizeof(endbr), &kept) == 10 && kept == 4,
	   "x86: window after endbr64");
	ok(x86->padding(nops, 3, sizeof(nops)) &&
	   x86->padding(nops, 6, sizeof(nops)) &&
	   !x86->padding(nops, 7, sizeof(nops)),
	   "x86: padding, and what is none");
	ok(x86->plt_slot(plt, 6, 0x1000, &slot) && slot == 0x1016 &&
	   !x86->plt_slot(plt, 5, 0x1000, &slot), "x86: PLT entry");
	ok(x86->tpoff(4, 20, 16) == (uint64_t)-28, "x86: TLS distance");
	ok(!hpkm_arch_find(EM_386), "arch: another machine is unknown");
}

static void test_damaged(void)
{
	struct hpkm_arena a = { 0 };
	size_t size, done = 0;
	uint8_t *bytes = hpkm_file_read(&a, in_dir("new.o"), &size), *copy;

	hush();
	for (size_t i = 0; i < size; i += i < 4096 ? 1 : 13) {
		struct hpkm_arena own = { 0 };
		struct hpkm_object o = { 0 };

		copy = malloc(i ? i : 1);
		memcpy(copy, bytes, i);
		if (!hpkm_elf_parse(&own, &o.elf, "cut", copy, i))
			hpkm_object_scan(&own, &o);
		hpkm_arena_free(&own);
		free(copy);
		done++;
	}
	unhush();
	ok(done > 1000, "elf: a file cut at any length does no harm");

	done = 0;
	hush();
	copy = malloc(size);
	for (size_t i = 0; i < size * 8; i += i < 8192 ? 3 : 37) {
		struct hpkm_arena own = { 0 };
		struct hpkm_pair pair = { 0 };
		struct hpkm_verdicts v = { .arena = &own };

		memcpy(copy, bytes, size);
		copy[i / 8] ^= 1 << i % 8;
		if (!hpkm_elf_parse(&own, &pair.new.elf, "flip", copy, size) &&
		    !hpkm_elf_parse(&own, &pair.old.elf, "whole", bytes,
				    size) &&
		    !hpkm_object_scan(&own, &pair.new) &&
		    !hpkm_object_scan(&own, &pair.old))
			hpkm_diff(&pair, 1, false, &v);
		hpkm_arena_free(&own);
		done++;
	}
	free(copy);
	unhush();
	ok(done > 1000, "elf: a flipped bit does no harm");
	hpkm_arena_free(&a);
}

static struct hpkm_item *find(struct hpkm_object *o, const char *name)
{
	const struct hpkm_name *found;
	size_t n;

	found = hpkm_object_find(o, name, &n);
	return found ? found->item : NULL;
}

/* The static local "n" of a function, by its initial value. */
static struct hpkm_item *find_n(struct hpkm_object *o, uint32_t value)
{
	for (size_t i = 0; i < o->item_count; i++)
		if (o->items[i]->kind == HPKM_ITEM_DATA &&
		    !strncmp(o->items[i]->name, "n.", 2) &&
		    hpkm_get32(hpkm_item_bytes(o->items[i])) == value)
			return o->items[i];
	return NULL;
}

static size_t changes(const struct hpkm_object *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->item_count; i++)
		n += o->items[i]->changed;
	return n;
}

static void test_diff(void)
{
	struct hpkm_arena a = { 0 };
	struct hpkm_pair pair, same;
	struct hpkm_object *o = &pair.old, *n = &pair.new;
	struct hpkm_verdicts v = { .arena = &a };
	bool good = true;

	if (hpkm_object_open(&a, o, in_dir("old.o")) ||
	    hpkm_object_open(&a, n, in_dir("new.o")) ||
	    hpkm_object_open(&a, &same.old, in_dir("old.o")) ||
	    hpkm_object_open(&a, &same.new, in_dir("old.o"))) {
		ok(false, "diff: the fixtures open");
		return;
	}
	hpkm_diff(&pair, 1, false, &v);
	ok(find(n, "changed")->changed && find(n, "name")->changed &&
	   changes(n) == 2, "diff: the functions that changed, no others");
	ok(!v.refusals, "diff: nothing refused");
	for (uint32_t i = 1; i <= 3; i++)
		good &= find_n(n, i) && find_n(o, i) &&
			find_n(n, i)->pair == find_n(o, i);
	ok(good, "diff: static locals of one name find their own");
	ok(find(n, "helper")->pair == find(o, "helper"),
	   "diff: static functions are paired");

	hpkm_diff(&same, 1, false, &v);
	ok(!changes(&same.new), "diff: an object is the same as itself");
	hpkm_arena_free(&a);
}

static int build(const char *target, const char *old, const char *new,
		 const char *output, const char *more)
{
	char *argv[] = {
		"hpkm-build", "-t", in_dir(target), "-o", in_dir(output),
		"--version", "1.0", "--depends", "base", in_dir(old),
		in_dir(new), (char *)more, NULL,
	};
	int status;

	hush();
	status = cmd_build(more ? 12 : 11, argv);
	unhush();
	return status;
}

static void test_build(void)
{
	struct hpkm_arena a = { 0 };
	const struct hpkm_image_func *f;
	size_t size, size2, image_size;
	uint8_t *one, *two, *image;
	bool good = true;
	FILE *out;

	unlink(in_dir("fix.hpkm"));
	unlink(in_dir("no.hpkm"));
	ok(build("prog", "old.o", "new.o", "fix.hpkm", NULL) == HPKM_EXIT_OK,
	   "build: a patch is made");
	one = hpkm_file_read(&a, in_dir("fix.hpkm"), &size);
	if (!one)
		return;
	ok(build("prog", "old.o", "new.o", "fix.hpkm", NULL) == HPKM_EXIT_OK,
	   "build: and made again");
	two = hpkm_file_read(&a, in_dir("fix.hpkm"), &size2);
	ok(two && size == size2 && !memcmp(one, two, size),
	   "build: with the same bytes");
	ok(build("prog", "old.o", "old.o", "no.hpkm", NULL) ==
	   HPKM_EXIT_NOTHING, "build: status 3 when nothing changed");
	ok(build("other", "old.o", "new.o", "no.hpkm", NULL) ==
	   HPKM_EXIT_REFUSED, "build: status 5 for another build");
	ok(build("prog", "old.o", "gone.o", "no.hpkm", NULL) ==
	   HPKM_EXIT_ERROR, "build: status 1 for a file that is not there");
	ok(build("prog", "old.o", "new.o", "no.hpkm", "odd.o") ==
	   HPKM_EXIT_USAGE, "build: status 2 for half a pair");
	ok(access(in_dir("no.hpkm"), F_OK), "build: and no patch is left");

	image = hpkm_pack_read(&a, in_dir("fix.hpkm"), &image_size);
	ok(image, "pack: the image is found and valid");
	if (!image)
		return;
	f = hpkm_image_funcs(image);
	for (uint32_t i = 0; i < hpkm_image_header(image)->funcs.count; i++)
		good &= !strcmp(hpkm_image_string(image, f[i].name),
				"changed") ||
			!strcmp(hpkm_image_string(image, f[i].name), "name");
	ok(good && hpkm_image_header(image)->funcs.count == 2,
	   "pack: the image has the functions");
	ok(hpkm_image_header(image)->depends.count == 1 &&
	   !strcmp(hpkm_image_string(image, hpkm_image_header(image)->name),
		   "fix"), "pack: name and dependencies");
	ok(hpkm_image_objects(image)[0].span_distance < 0,
	   "link: the span stands below a PIE");
	out = fopen(in_dir("fix.image"), "w");
	if (out) {
		fwrite(image, 1, image_size, out);
		fclose(out);
	}
	hpkm_arena_free(&a);
}

static void test_image(void)
{
	struct hpkm_arena a = { 0 };
	size_t size, refused = 0, done = 0;
	uint8_t *image = hpkm_pack_read(&a, in_dir("fix.hpkm"), &size);
	char why[256];

	if (!image) {
		ok(false, "image: there is one");
		return;
	}
	for (size_t i = 0; i < size; i++) {
		uint8_t *copy = malloc(i ? i : 1);

		memcpy(copy, image, i);
		refused += hpkm_image_check(copy, i, why, sizeof(why)) != 0;
		/* As if the length said so: the tables are cut then. */
		if (i >= sizeof(struct hpkm_image_header)) {
			((struct hpkm_image_header *)copy)->size = i;
			hpkm_image_check(copy, i, why, sizeof(why));
		}
		free(copy);
	}
	ok(refused == size, "image: refused when cut at any length");
	refused = 0;
	for (size_t i = 0; i < size * 8; i++) {
		image[i / 8] ^= 1 << i % 8;
		refused += hpkm_image_check(image, size, why,
					    sizeof(why)) != 0;
		image[i / 8] ^= 1 << i % 8;
		done++;
	}
	ok(done == size * 8 && refused > 1000,
	   "image: any flipped bit is survived, many are refused");
	ok(!hpkm_image_check(image, size, why, sizeof(why)),
	   "image: and it is valid as it was");
	hpkm_arena_free(&a);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		return 2;
	}
	dir = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_arena();
	test_names();
	test_arch();
	test_damaged();
	test_diff();
	test_build();
	test_image();
	printf("1..%d\n", count);
	return failed != 0;
}
