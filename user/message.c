// SPDX-License-Identifier: GPL-2.0
/* Diagnostics: lines on standard error, led by the name of the tool. */
#include <stdarg.h>
#include <stdio.h>

#include "hpkm.h"

static const char *tool_name = "hpkm";

void hpkm_message_name(const char *tool)
{
	tool_name = tool;
}

static void message(const char *lead, const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s", tool_name, lead);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void hpkm_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("", fmt, ap);
	va_end(ap);
}

void hpkm_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("warning: ", fmt, ap);
	va_end(ap);
}

void hpkm_detail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("  ", fmt, ap);
	va_end(ap);
}
