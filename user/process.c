// SPDX-License-Identifier: GPL-2.0
/*
 * Processes as /proc shows them (stages 5 and 11).  A pid is a number that is
 * used again; together with the start time it names one process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"

/* Return: bytes read, the text ended by NUL; or a negative errno. */
static ssize_t read_proc(uint32_t pid, const char *file, char *text,
			 size_t size)
{
	char path[64];
	size_t used = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		n = read(fd, text + used, size - 1 - used);
		if (n > 0)
			used += n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	n = n < 0 ? -errno : (ssize_t)used;
	close(fd);
	text[used] = '\0';
	return n;
}

int hpkm_process_parse_stat(const char *text, struct hpkm_process *process)
{
	const char *open_paren = strchr(text, '(');
	const char *close_paren = strrchr(text, ')');
	const char *field = close_paren;
	unsigned long long value;
	size_t length;
	char *end;

	if (!open_paren || !close_paren || close_paren < open_paren)
		return -EINVAL;
	/* The name is field 2; the start time is 20 fields on. */
	for (int i = 0; i < 20; i++) {
		field = strchr(field + 1, ' ');
		if (!field)
			return -EINVAL;
	}
	errno = 0;
	value = strtoull(field + 1, &end, 10);
	if (errno || end == field + 1 || (*end != ' ' && *end != '\n' && *end))
		return -EINVAL;
	length = close_paren - open_paren - 1;
	if (length >= sizeof(process->comm))
		length = sizeof(process->comm) - 1;
	memcpy(process->comm, open_paren + 1, length);
	process->comm[length] = '\0';
	process->start_time = value;
	return 0;
}

int hpkm_process_read(uint32_t pid, struct hpkm_process *process)
{
	char text[4096];
	const char *tgid;
	ssize_t n;
	int error;

	*process = (struct hpkm_process){ .pid = pid, .tgid = pid };
	n = read_proc(pid, "stat", text, sizeof(text));
	if (n == -ENOENT && access("/proc/self/stat", F_OK))
		return -ENOSYS;
	if (n == -ENOENT)
		return -ESRCH;
	if (n < 0)
		return n;
	error = hpkm_process_parse_stat(text, process);
	if (error)
		return error;
	n = read_proc(pid, "status", text, sizeof(text));
	if (n == -ENOENT)
		return -ESRCH;
	if (n < 0)
		return n;
	/* The name in this file has its line ends escaped. */
	tgid = strstr(text, "\nTgid:");
	if (tgid)
		process->tgid = strtoul(tgid + 6, NULL, 10);
	return 0;
}

/* The number behind a name that begins a line. */
static bool find_number(const char *text, const char *name, uint64_t *value)
{
	const char *found = strstr(text, name);
	char *end;

	if (!found)
		return false;
	found += strlen(name);
	*value = strtoull(found, &end, 10);
	return end != found;
}

int hpkm_process_switches(uint32_t pid, uint32_t tid, uint64_t *switches)
{
	uint64_t of_its_own, forced;
	char file[32], text[4096];
	ssize_t n;

	snprintf(file, sizeof(file), "task/%u/status", tid);
	n = read_proc(pid, file, text, sizeof(text));
	if (n < 0)
		return n;
	if (!find_number(text, "\nvoluntary_ctxt_switches:", &of_its_own) ||
	    !find_number(text, "\nnonvoluntary_ctxt_switches:", &forced))
		return -EINVAL;
	*switches = of_its_own + forced;
	return 0;
}

char hpkm_process_state(uint32_t tid)
{
	const char *name_end;
	char text[512];

	if (read_proc(tid, "stat", text, sizeof(text)) <= 0)
		return 0;
	name_end = strrchr(text, ')');
	return name_end && name_end[1] == ' ' ? name_end[2] : 0;
}

char *hpkm_process_waits(uint32_t tid, const char *file)
{
	char text[256];

	if (read_proc(tid, file, text, sizeof(text)) <= 0)
		return NULL;
	text[strcspn(text, " \n")] = '\0';
	/* wchan is "0" where there is none; system call 0 is one. */
	if (!*text || (!strcmp(file, "wchan") && !strcmp(text, "0")))
		return NULL;
	return strdup(text);
}
