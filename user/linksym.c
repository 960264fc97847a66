// SPDX-License-Identifier: GPL-2.0
/*
 * The symbols of the objects that a process has loaded, and their versions
 * (before stage 5).  As linkmap.c, it trusts nothing that it reads there.
 */
#include <elf.h>
#include <stdint.h>
#include <string.h>

#include "linksym.h"

#define CHAIN_MAX	(1 << 20)
#define VERSIONS_MAX	65536

/* The name of version @index in a table of definitions. */
static const char *defined_version(const struct hpkm_linkmap *map,
				   const struct hpkm_linkmap_object *o,
				   unsigned int index)
{
	uint64_t at = o->verdef;
	Elf64_Verdaux aux;
	Elf64_Verdef def;

	for (int i = 0; at && i < VERSIONS_MAX; i++) {
		if (!hpkm_linkmap_get(map, at, &def, sizeof(def)))
			break;
		if (def.vd_ndx == index &&
		    hpkm_linkmap_get(map, at + def.vd_aux, &aux, sizeof(aux)))
			return hpkm_linkmap_string(map, o->strtab +
						   aux.vda_name);
		if (!def.vd_next)
			break;
		at += def.vd_next;
	}
	return "";
}

static const char *needed_version(const struct hpkm_linkmap *map,
				  const struct hpkm_linkmap_object *o,
				  unsigned int index)
{
	uint64_t at = o->verneed;
	Elf64_Verneed need;
	Elf64_Vernaux aux;

	for (int i = 0; at && i < VERSIONS_MAX; i++) {
		uint64_t k;

		if (!hpkm_linkmap_get(map, at, &need, sizeof(need)))
			break;
		k = at + need.vn_aux;
		for (int n = need.vn_cnt; n; n--) {
			if (!hpkm_linkmap_get(map, k, &aux, sizeof(aux)))
				return "";
			if ((aux.vna_other & 0x7fff) == index)
				return hpkm_linkmap_string(map, o->strtab +
							   aux.vna_name);
			if (!aux.vna_next)
				break;
			k += aux.vna_next;
		}
		if (!need.vn_next)
			break;
		at += need.vn_next;
	}
	return "";
}

/* An entry of .gnu.version; 1 (global, no version) where there is none. */
static uint16_t version_index(const struct hpkm_linkmap *map,
			      const struct hpkm_linkmap_object *o,
			      uint32_t index)
{
	uint16_t version = 1;

	if (o->versym)
		hpkm_linkmap_get(map, o->versym + 2ULL * index, &version,
				 sizeof(version));
	return version;
}

const char *hpkm_linkmap_version(const struct hpkm_linkmap *map,
				 const struct hpkm_linkmap_object *object,
				 uint32_t index)
{
	uint16_t version = version_index(map, object, index) & 0x7fff;
	const char *name;

	if (version < 2)
		return "";
	name = defined_version(map, object, version);
	return *name ? name : needed_version(map, object, version);
}

static bool is_definition(const struct hpkm_linkmap *map,
			  const struct hpkm_linkmap_object *o, uint32_t index,
			  const char *name, const char *version,
			  struct hpkm_linkmap_symbol *symbol)
{
	unsigned int visibility;
	uint16_t entry;
	Elf64_Sym s;

	if (!hpkm_linkmap_get(map, o->symtab + index * sizeof(s), &s,
			      sizeof(s)) ||
	    s.st_name >= o->strsz ||
	    !hpkm_linkmap_same(map, o->strtab + s.st_name, name))
		return false;
	/* Undefined with a value: the PLT entry that is a function's address. */
	if (!s.st_value && ELF64_ST_TYPE(s.st_info) != STT_TLS)
		return false;
	visibility = ELF64_ST_VISIBILITY(s.st_other);
	if (ELF64_ST_BIND(s.st_info) == STB_LOCAL ||
	    visibility == STV_HIDDEN || visibility == STV_INTERNAL)
		return false;
	entry = version_index(map, o, index);
	symbol->version = hpkm_linkmap_version(map, o, index);
	/* Version 0 is local; bit 15 marks all but the default one. */
	if (o->versym && s.st_shndx != SHN_UNDEF) {
		if (!entry)
			return false;
		if (!*version && entry & 0x8000)
			return false;
		if (*version && (entry & 0x7fff) > 1 &&
		    strcmp(symbol->version, version))
			return false;
	}
	symbol->value = s.st_value;
	symbol->type = ELF64_ST_TYPE(s.st_info);
	symbol->bind = ELF64_ST_BIND(s.st_info);
	symbol->section = s.st_shndx;
	return true;
}

static bool find_gnu(const struct hpkm_linkmap *map,
		     const struct hpkm_linkmap_object *o, const char *name,
		     const char *version, struct hpkm_linkmap_symbol *symbol)
{
	uint32_t head[4], hash = 5381, index, entry;
	uint64_t buckets, chains;

	for (const uint8_t *p = (const uint8_t *)name; *p; p++)
		hash = hash * 33 + *p;
	/* Buckets, first symbol, words of the filter, its shift. */
	if (!hpkm_linkmap_get(map, o->gnu_hash, head, sizeof(head)) || !head[0])
		return false;
	buckets = o->gnu_hash + sizeof(head) + 8ULL * head[2];
	chains = buckets + 4ULL * head[0];
	if (!hpkm_linkmap_get(map, buckets + 4ULL * (hash % head[0]), &index,
			      sizeof(index)) || index < head[1])
		return false;
	for (int i = 0; i < CHAIN_MAX; i++, index++) {
		if (!hpkm_linkmap_get(map, chains + 4ULL * (index - head[1]),
				      &entry, sizeof(entry)))
			break;
		if ((entry | 1) == (hash | 1) &&
		    is_definition(map, o, index, name, version, symbol))
			return true;
		if (entry & 1)
			break;
	}
	return false;
}

static bool find_sysv(const struct hpkm_linkmap *map,
		      const struct hpkm_linkmap_object *o, const char *name,
		      const char *version, struct hpkm_linkmap_symbol *symbol)
{
	uint32_t head[2], hash = 0, index;

	for (const uint8_t *p = (const uint8_t *)name; *p; p++) {
		hash = (hash << 4) + *p;
		hash ^= (hash & 0xf0000000) >> 24;
		hash &= 0x0fffffff;
	}
	if (!hpkm_linkmap_get(map, o->hash, head, sizeof(head)) || !head[0] ||
	    !hpkm_linkmap_get(map, o->hash + 8 + 4ULL * (hash % head[0]),
			      &index, sizeof(index)))
		return false;
	for (int i = 0; index && index < head[1] && i < CHAIN_MAX; i++) {
		if (is_definition(map, o, index, name, version, symbol))
			return true;
		if (!hpkm_linkmap_get(map, o->hash + 8 + 4ULL * head[0] +
				      4ULL * index, &index, sizeof(index)))
			break;
	}
	return false;
}

bool hpkm_linkmap_find(const struct hpkm_linkmap *map,
		       const struct hpkm_linkmap_object *object,
		       const char *name, const char *version,
		       struct hpkm_linkmap_symbol *symbol)
{
	if (!object->symtab || !object->strtab)
		return false;
	if (object->gnu_hash)
		return find_gnu(map, object, name, version, symbol);
	return object->hash && find_sysv(map, object, name, version, symbol);
}
