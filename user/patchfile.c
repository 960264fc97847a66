// SPDX-License-Identifier: GPL-2.0
/*
 * A patch object on its way to the kernel (stage 5).  Only its section table
 * is looked at here; the kernel copies the image and validates the copy, so
 * a check here could not be relied on.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gelf.h>
#include <libelf.h>
#include <nettle/sha2.h>

#include "image.h"
#include "patchfile.h"

/* What a section table says of the file. */
struct parts {
	bool has_image, has_digest;
	uint64_t digest_offset, digest_size;
};

/* Whether the content is the one that was built; the kernel can't tell. */
static bool is_intact(const struct hpkm_patchfile *file, uint64_t at,
		      uint64_t size)
{
	uint8_t told[SHA256_DIGEST_SIZE], digest[SHA256_DIGEST_SIZE];
	uint8_t bytes[16384];
	struct sha256_ctx sha;
	uint64_t done = 0;

	if (size != sizeof(told) ||
	    pread(file->fd, told, sizeof(told), at) != sizeof(told))
		return false;
	sha256_init(&sha);
	while (done < file->size) {
		uint64_t rest = file->size - done;
		ssize_t n = pread(file->fd, bytes, rest < sizeof(bytes) ?
				  rest : sizeof(bytes), file->offset + done);

		if (n <= 0)
			return false;
		sha256_update(&sha, n, bytes);
		done += n;
	}
	sha256_digest(&sha, sizeof(digest), digest);
	return !memcmp(told, digest, sizeof(digest));
}

static const char *find_sections(Elf *elf, uint64_t file_size,
				 struct hpkm_patchfile *file)
{
	Elf_Scn *section = NULL;
	struct parts parts = { 0 };
	size_t names;

	if (elf_kind(elf) != ELF_K_ELF)
		return "it is not an ELF file";
	if (elf_getshdrstrndx(elf, &names))
		return "it has no table of sections, or that is cut off";
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header))
			return "its table of sections is damaged";
		name = elf_strptr(elf, names, header.sh_name);
		if (name && !strcmp(name, HPKM_DIGEST_SECTION)) {
			parts.has_digest = true;
			parts.digest_offset = header.sh_offset;
			parts.digest_size = header.sh_size;
		}
		if (!name || strcmp(name, HPKM_IMAGE_SECTION) ||
		    parts.has_image)
			continue;
		if (header.sh_type == SHT_NOBITS ||
		    header.sh_flags & SHF_COMPRESSED)
			return "its section " HPKM_IMAGE_SECTION
			       " is empty or compressed";
		if (header.sh_offset > file_size ||
		    header.sh_size > file_size - header.sh_offset)
			return "its section " HPKM_IMAGE_SECTION
			       " goes past the end of the file";
		file->offset = header.sh_offset;
		file->size = header.sh_size;
		parts.has_image = true;
	}
	if (!parts.has_image)
		return "it has no section " HPKM_IMAGE_SECTION
		       ", or is cut off";
	if (parts.has_digest && file->size <= HPKM_IMAGE_SIZE_MAX &&
	    !is_intact(file, parts.digest_offset, parts.digest_size))
		return "it is damaged: its image is not the one that was built";
	return NULL;
}

/* One line of the string table; "" where it does not lie in the image. */
static void read_string(const struct hpkm_patchfile *file, uint64_t table,
			uint32_t string, char *text, size_t size)
{
	uint64_t at = table + le32toh(string);
	ssize_t n = 0;

	if (at < file->size) {
		if (size - 1 > file->size - at)
			size = file->size - at + 1;
		n = pread(file->fd, text, size - 1, file->offset + at);
	}
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static void read_names(struct hpkm_patchfile *file)
{
	struct hpkm_image_header header;
	uint64_t table;

	if (file->size < sizeof(header) ||
	    pread(file->fd, &header, sizeof(header), file->offset) !=
		    sizeof(header) ||
	    memcmp(header.magic, HPKM_IMAGE_MAGIC, sizeof(header.magic)))
		return;
	table = le32toh(header.strings.offset);
	read_string(file, table, header.name, file->name, sizeof(file->name));
	read_string(file, table, header.version, file->version,
		    sizeof(file->version));
}

int hpkm_patchfile_open(struct hpkm_patchfile *file, const char *path,
			char *why, size_t why_size)
{
	const char *problem;
	struct stat st;
	Elf *elf;

	*file = (struct hpkm_patchfile){
		/* No waiting for a writer, should it be a fifo. */
		.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK),
	};
	if (file->fd < 0 || fstat(file->fd, &st)) {
		snprintf(why, why_size, "%s", strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, why_size, "it is not a regular file");
		goto fail;
	}
	elf_version(EV_CURRENT);
	elf = elf_begin(file->fd, ELF_C_READ, NULL);
	if (!elf) {
		snprintf(why, why_size, "libelf: %s", elf_errmsg(-1));
		goto fail;
	}
	problem = find_sections(elf, st.st_size, file);
	elf_end(elf);
	if (problem) {
		snprintf(why, why_size, "%s", problem);
		goto fail;
	}
	read_names(file);
	return 0;
fail:
	hpkm_patchfile_close(file);
	return -1;
}

void *hpkm_patchfile_externs(const struct hpkm_patchfile *file)
{
	char why[256];
	void *image;

	if (file->size > HPKM_IMAGE_SIZE_MAX)
		return NULL;
	image = malloc(file->size + 1);
	if (image && pread(file->fd, image, file->size, file->offset) ==
	    (ssize_t)file->size &&
	    !hpkm_image_check(image, file->size, why, sizeof(why)) &&
	    hpkm_image_header(image)->externs.count)
		return image;
	free(image);
	return NULL;
}

void hpkm_patchfile_close(struct hpkm_patchfile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
