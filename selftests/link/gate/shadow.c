/* MORE more/shadow.c */
/* Shadow variables, used from two object files. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shadow.h"

#define THREADS	4
#define OBJECTS	5000

static struct conn all[OBJECTS];
static int dtors;

/* The old program must have these, and be seen to use them. */
__attribute__((noipa)) static void use_allocator(void)
{
	static void *volatile kept;

	kept = calloc(1, 100);
	free(kept);
}

#ifdef NEW
static void dtor(void *obj, void *data)
{
	(void)obj;
	if (((struct extra *)data)->magic == MAGIC)
		dtors++;
}

static int ctor(void *obj, void *data, void *ctor_data)
{
	(void)obj;
	((struct extra *)data)->magic = *(long *)ctor_data;
	return *(long *)ctor_data == 0;
}
#endif

/* How often this one has been seen; 0: there is no such thing. */
__attribute__((noipa)) long seen(struct conn *c)
{
#ifdef NEW
	long magic = MAGIC;
	struct extra *x = hpkm_shadow_get_or_alloc(c, EXTRA, sizeof(*x), ctor,
						   &magic);

	return x && x->magic == MAGIC ?
		__atomic_add_fetch(&x->seen, 1, __ATOMIC_RELAXED) : -1;
#else
	return c->fd * 0L;
#endif
}

/* What alloc() says to one that exists, and to a constructor that fails. */
__attribute__((noipa)) int twice(struct conn *c)
{
#ifdef NEW
	long magic = MAGIC;

	if (hpkm_shadow_alloc(c, EXTRA, sizeof(struct extra), ctor, &magic))
		return 1;
	magic = 0;
	if (hpkm_shadow_alloc(c, 77, sizeof(struct extra), ctor, &magic))
		return 2;
	if (hpkm_shadow_get(c, 77))
		return 3;
	if (hpkm_shadow_alloc(c, 78, (size_t)-8, NULL, NULL))
		return 4;
	return 0;
#else
	return c->fd - 100;
#endif
}

__attribute__((noipa)) int drop(struct conn *c)
{
#ifdef NEW
	int before = dtors;

	if (!c) {
		hpkm_shadow_free_all(EXTRA, dtor);
		return dtors - before;
	}
	hpkm_shadow_free(c, EXTRA, dtor);
	hpkm_shadow_free(c, EXTRA, dtor);
	return dtors - before;
#else
	return c ? c->fd : 0;
#endif
}

static void *caller(void *unused)
{
	(void)unused;
	for (int i = 0; i < OBJECTS; i++)
		seen(&all[i]);
	return NULL;
}

static int all_seen(long want)
{
	for (int i = 0; i < OBJECTS; i++)
		if (peek(&all[i]) != want)
			return 0;
	return 1;
}

static int in_child(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		alarm(20);
		caller(NULL);
		_exit(all_seen(THREADS + 1) ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return status;
}

/* Forks while others take and give up the locks all the time. */
static int storm(void)
{
	pthread_t threads[THREADS];
	int bad = 0;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, caller, NULL);
	for (int i = 0; i < 20; i++) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			alarm(20);
			for (int k = 0; k < OBJECTS; k++)
				peek(&all[k]);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		if (status)
			bad = status;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return bad;
}

void run_case(FILE *out)
{
	pthread_t threads[THREADS];
	struct conn *c = &all[7];
	int status;

	use_allocator();
	if (!loader_patched) {
		seen(c);
		peek(c);
		twice(c);
		drop(c);
		return;
	}
	check(peek(c) == 0, "none to begin with");
	check(seen(c) == 1 && seen(c) == 2, "made once, then found");
	check(peek(c) == 2, "the other object file finds it, too");
	check(poke(c, 40) == 42 && seen(c) == 43, "and changes it");
	check(twice(c) == 0, "no second one, none that can't be made");
	check(drop(c) == 1 && peek(c) == 0, "freed once");
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, caller, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	check(all_seen(THREADS), "%d threads, %d objects", THREADS, OBJECTS);
	check(!in_child(), "a forked child has its parent's");
	check(all_seen(THREADS), "and they are its own");
	status = storm();
	check(!status, "forks while locks are held: status 0x%x", status);
	check(drop(NULL) == OBJECTS && all_seen(0), "all freed");
	check(1, "done");
}
