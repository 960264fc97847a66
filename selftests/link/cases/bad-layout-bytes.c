/* EXPECT refused buffer */
/* LINK pie */
/* OPT -O2 */
/* FLAGS -g */
/* A pointer to text that the process has made becomes one to a structure. */
#include <stdio.h>
#include <stdlib.h>

struct text { size_t length; char *bytes; };
#ifdef NEW
static struct text *buffer;
#else
static char *buffer;
#endif

__attribute__((noinline)) int work(int x)
{
#ifdef NEW
	if (!buffer)
		buffer = calloc(1, sizeof(*buffer));
	return buffer ? (int)buffer->length + x : 0;
#else
	if (!buffer)
		buffer = calloc(1, 16);
	return buffer ? buffer[0] + x : 0;
#endif
}

void run_case(FILE *out) { fprintf(out, "%d\n", work(3)); }
