/* Many threads at once, and forks at every moment. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate.h"

#define THREADS	8
#define ROUNDS	20

static atomic_int runs, done, early, calls;
static atomic_int in_hook, hold;
static pthread_barrier_t barrier;

__attribute__((noipa)) int work(int x)
{
#ifdef NEW
	if (!atomic_load(&done))
		atomic_fetch_add(&early, 1);
	atomic_fetch_add(&calls, 1);
	return x * 2;
#else
	return x * 3 - x / 2;
#endif
}

#ifdef NEW
static void hook(void)
{
	atomic_fetch_add(&runs, 1);
	atomic_store(&in_hook, 1);
	do
		usleep(2000);
	while (atomic_load(&hold));
	atomic_store(&done, 1);
	atomic_store(&in_hook, 0);
}
HPKM_APPLY_HOOK(hook);
#endif

static void *caller(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&barrier);
	work(1);
	return NULL;
}

static void start(pthread_t *threads, int count)
{
	pthread_barrier_init(&barrier, NULL, count);
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, caller, NULL);
}

static void join(pthread_t *threads, int count)
{
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void reset(void)
{
	STATE = HPKM_HOOK_PENDING;
	runs = 0;
	done = 0;
	early = 0;
	calls = 0;
}

/* The exit status of a child that calls the function. */
static int in_child(int hooks)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int before = runs;

		alarm(20);
		hold = 0;
		work(1);
		_exit(runs - before == hooks && done && !early &&
		      STATE == HPKM_HOOK_READY ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return status;
}

void run_case(FILE *out)
{
	pthread_t threads[THREADS];
	int bad = 0, count = 0;

	if (!loader_hook_state) {
		work(1);
		return;
	}
	for (int i = 0; i < ROUNDS; i++) {
		reset();
		start(threads, THREADS);
		join(threads, THREADS);
		bad += early;
		count += runs;
	}
	check(count == ROUNDS, "%d rounds, the hook ran %d times", ROUNDS,
	      count);
	check(!bad, "%d calls came through before it was done", bad);
	check(calls == THREADS, "all came through");

	reset();
	check(!in_child(1), "a child forked before runs it for itself");
	check(!runs && STATE == HPKM_HOOK_PENDING, "its parent has not");
	work(1);
	check(!in_child(0), "a child forked afterwards does not");

	reset();
	hold = 1;
	start(threads, 1);
	while (!in_hook)
		usleep(100);
	check(!in_child(1), "forked while another thread runs it: anew");
	check(STATE == HPKM_HOOK_APPLYING, "its parent still runs it");
	hold = 0;
	join(threads, 1);
	check(runs == 1 && STATE == HPKM_HOOK_READY, "and ran it once");

	/* A revert that is wanted of the parent is none of the child. */
	WANT = 1;
	STATE = HPKM_HOOK_WANTED;
	check(!in_child(0), "forked while a revert is wanted: not of the child");
	check(STATE == HPKM_HOOK_WANTED, "but of the parent");
	work(1);
	check(STATE == HPKM_HOOK_REVERTED, "no revert hook: done at once");
	check(!in_child(1), "forked when it has run: applied again");
	WANT = 0;
	check(1, "done");
}
