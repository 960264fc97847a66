// SPDX-License-Identifier: GPL-2.0
/* Stage 5: the attributes of a message become the fields of a struct. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>

#include "attrs.h"

static char *hex_string(const struct nlattr *attr)
{
	const unsigned char *bytes = nla_data(attr);
	size_t size = nla_len(attr);
	char *text = malloc(2 * size + 1);

	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	text[2 * size] = '\0';
	return text;
}

static int parse_text(const struct hpkm_field *field, char **text,
		      struct nlattr *attr)
{
	free(*text);
	*text = field->kind == HPKM_KIND_BYTES ?
		hex_string(attr) :
		strndup(nla_data(attr), nla_len(attr));
	return *text ? 0 : -ENOMEM;
}

static int parse_list(const struct hpkm_field *field, struct hpkm_list *list,
		      struct nlattr *attr)
{
	void *item = hpkm_list_add(list, field->record);

	if (!item)
		return -ENOMEM;
	return hpkm_attrs_parse(field->record, item, nla_data(attr),
				nla_len(attr));
}

static int parse_numbers(struct hpkm_numbers *numbers, struct nlattr *attr)
{
	if (nla_len(attr) % sizeof(uint64_t) ||
	    nla_len(attr) > (int)sizeof(numbers->value))
		return -EBADMSG;
	memcpy(numbers->value, nla_data(attr), nla_len(attr));
	numbers->count = nla_len(attr) / sizeof(uint64_t);
	return 0;
}

static int parse_attr(const struct hpkm_field *field, void *at,
		      struct nlattr *attr)
{
	switch (field->kind) {
	case HPKM_KIND_U32:
	case HPKM_KIND_NAMED:
		if (nla_len(attr) != sizeof(uint32_t))
			return -EBADMSG;
		memcpy(at, nla_data(attr), sizeof(uint32_t));
		return 0;
	case HPKM_KIND_U64:
	case HPKM_KIND_ADDRESS:
		if (nla_len(attr) != sizeof(uint64_t))
			return -EBADMSG;
		memcpy(at, nla_data(attr), sizeof(uint64_t));
		return 0;
	case HPKM_KIND_FLAG:
		*(bool *)at = true;
		return 0;
	case HPKM_KIND_STRING:
	case HPKM_KIND_BYTES:
		return parse_text(field, at, attr);
	case HPKM_KIND_NUMBERS:
		return parse_numbers(at, attr);
	case HPKM_KIND_NEST:
		return hpkm_attrs_parse(field->record, at, nla_data(attr),
				   nla_len(attr));
	case HPKM_KIND_LIST:
		return parse_list(field, at, attr);
	}
	return -EBADMSG;
}

int hpkm_attrs_parse(const struct hpkm_record *record, void *data,
		     struct nlattr *attrs, int length)
{
	struct nlattr *attr;
	int rest;

	nla_for_each_attr(attr, attrs, length, rest) {
		for (size_t i = 0; i < record->count; i++) {
			const struct hpkm_field *field = &record->fields[i];
			int error;

			if (!field->attr || field->attr != nla_type(attr))
				continue;
			error = parse_attr(field, hpkm_reply_at(data, field),
					   attr);
			if (error)
				return error;
			*(uint32_t *)data |= 1U << field->attr;
		}
	}
	return 0;
}
