/* Nothing of the patch's code stays on the stack of who went through a gate. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "gate.h"

#define THREADS	3
#define DEPTH	4096

static volatile int runs, bad;
static pthread_barrier_t barrier;

/* Changes, and calls nothing. */
__attribute__((noipa)) int work(int x)
{
#ifdef NEW
	return x * 2 + 1;
#else
	return x * 3 - x / 2;
#endif
}

#ifdef NEW
__attribute__((noipa)) static void deeper(void)
{
	usleep(20000);
	runs++;
}

static void hook(void)
{
	deeper();
	runs++;
}
HPKM_APPLY_HOOK(hook);
#endif

extern uint64_t loader_text, loader_text_end;

/* What is below the stack pointer, before anything overwrites it. */
__attribute__((noipa)) static int look(void)
{
	uint64_t copy[DEPTH / 8];
	int found = 0;

	work(1);
	__asm__ volatile("mov %%rsp, %%rsi; sub %1, %%rsi;"
			 "mov %0, %%rdi; mov %1, %%rcx; rep movsb"
			 : : "r" (copy), "r" ((uint64_t)DEPTH)
			 : "rsi", "rdi", "rcx", "memory");
	for (int i = 0; i < DEPTH / 8; i++)
		found += copy[i] >= loader_text && copy[i] < loader_text_end;
	return found;
}

static void *caller(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&barrier);
	if (look())
		bad = 1;
	return NULL;
}

void run_case(FILE *out)
{
	pthread_t threads[THREADS];

	if (!loader_hook_state) {
		usleep(1);
		work(1);
		return;
	}
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, caller, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	check(runs == 2, "the hook ran");
	check(!bad, "no address of the patch is left on a stack");
	check(1, "done");
}
