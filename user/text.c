// SPDX-License-Identifier: GPL-2.0
/* Strings of others, made fit to be shown (stage 11). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define REPLACEMENT	"\357\277\275"	/* U+FFFD */

/* Return: the bytes of the UTF-8 sequence at "text"; 0 when there is none. */
static size_t utf8_length(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;	/* smaller values have a shorter form */
	} forms[] = {
		{ 0x80, 0x00, 0 },
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		uint32_t value = *text & (unsigned char)~forms[i].mask;

		if ((*text & forms[i].mask) != forms[i].lead)
			continue;
		/* NUL is no continuation: this stops at the end. */
		for (size_t j = 1; j <= i; j++) {
			if ((text[j] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | (text[j] & 0x3f);
		}
		if (value < forms[i].least || value > 0x10ffff ||
		    (value >= 0xd800 && value <= 0xdfff))
			return 0;
		return i + 1;
	}
	return 0;
}

/* C0, DEL and C1: what a terminal may take as an order. */
static int is_control(const unsigned char *text, size_t length)
{
	return (length == 1 && (*text < 0x20 || *text == 0x7f)) ||
	       (length == 2 && *text == 0xc2 && text[1] < 0xa0);
}

char *hpkm_text_printable(char *to, size_t size, const char *from)
{
	const unsigned char *text = (const unsigned char *)from;
	size_t used = 0;

	while (*text) {
		size_t length = utf8_length(text);
		char escape[5];

		if (length && !is_control(text, length)) {
			if (used + length >= size)
				break;
			memcpy(to + used, text, length);
			used += length;
			text += length;
			continue;
		}
		if (used + 4 >= size)
			break;
		snprintf(escape, sizeof(escape), "\\x%02x", *text++);
		memcpy(to + used, escape, 4);
		used += 4;
	}
	to[used] = '\0';
	return to;
}

char *hpkm_text_utf8(const char *from)
{
	const unsigned char *text = (const unsigned char *)from;
	size_t used = 0;
	char *to = malloc(3 * strlen(from) + 1);

	if (!to)
		return NULL;
	while (*text) {
		size_t length = utf8_length(text);

		if (length) {
			memcpy(to + used, text, length);
			used += length;
			text += length;
		} else {
			memcpy(to + used, REPLACEMENT, 3);
			used += 3;
			text++;
		}
	}
	to[used] = '\0';
	return to;
}
