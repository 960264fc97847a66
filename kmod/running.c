// SPDX-License-Identifier: GPL-2.0
/*
 * The requests that run, in kernel workers: queued, cancelled, answered while
 * they wait.
 *
 * running_lock protects the list of running requests; a request leaves it
 * before it is freed, so hpkm_running_cancel() may touch what it finds there.
 */
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "running.h"

#define BACKOFF_MAX_MS		50
#define RUNNING_MAX		64
/* Answers of one client that are kept. */
#define STALE_MAX		4096

static DEFINE_MUTEX(running_lock);
static LIST_HEAD(running);
static unsigned int running_count;
static bool closing;
static struct workqueue_struct *workers;

/**
 * hpkm_running_queue() - let a worker run a request
 * @request: belongs to the worker when this succeeds
 *
 * Context: Process context, takes running_lock.
 * Return: 0; -EBUSY when too many are running; -ESHUTDOWN.
 */
int hpkm_running_queue(struct hpkm_request *request)
{
	int ret = 0;

	mutex_lock(&running_lock);
	if (closing)
		ret = -ESHUTDOWN;
	else if (running_count >= RUNNING_MAX)
		ret = -EBUSY;
	if (!ret) {
		list_add_tail(&request->node, &running);
		running_count++;
		queue_work(workers, &request->work);
	}
	mutex_unlock(&running_lock);
	return ret;
}

static void cancel_locked(struct hpkm_request *request)
{
	WRITE_ONCE(request->cancelled, true);
	wake_up(&request->wake);
}

/**
 * hpkm_running_cancel() - a client has gone
 * @portid: of its socket
 *
 * What was not committed will not be.
 *
 * Context: Process context, takes running_lock.
 */
void hpkm_running_cancel(u32 portid)
{
	struct hpkm_request *request;

	mutex_lock(&running_lock);
	list_for_each_entry(request, &running, node)
		if (request->portid == portid)
			cancel_locked(request);
	mutex_unlock(&running_lock);
}

/**
 * hpkm_running_answer() - a client says which words are stale
 * @portid: of its socket
 * @seq: sequence number of its request
 * @stale: the words; what was said before is known still
 * @count: how many
 *
 * Context: Process context, takes running_lock.
 * Return: 0; -ENOENT when no such request runs; -E2BIG, -ENOMEM.
 */
int hpkm_running_answer(u32 portid, u32 seq, const struct hpkm_stale *stale,
			u32 count)
{
	struct hpkm_request *request, *found = NULL;
	struct hpkm_stale *all, *old;
	u32 old_count;
	int ret = -ENOENT;

	mutex_lock(&running_lock);
	list_for_each_entry(request, &running, node)
		if (request->portid == portid && request->seq == seq)
			found = request;
	if (!found)
		goto out;
	/* Only the worker replaces the list that it uses, under the lock. */
	old = found->answers ?: found->stale;
	old_count = found->answers ? found->answer_count : found->stale_count;
	ret = -E2BIG;
	if (count > STALE_MAX - old_count)
		goto out;
	ret = -ENOMEM;
	all = kvmalloc_array(old_count + count, sizeof(*all), GFP_KERNEL);
	if (!all)
		goto out;
	if (old_count)
		memcpy(all, old, old_count * sizeof(*all));
	memcpy(all + old_count, stale, count * sizeof(*all));
	kvfree(found->answers);
	found->answers = all;
	WRITE_ONCE(found->answer_count, old_count + count);
	wake_up(&found->wake);
	ret = 0;
out:
	mutex_unlock(&running_lock);
	return ret;
}

/**
 * hpkm_running_take_answers() - what the client has answered by now
 * @request: runs; gets it as stale
 *
 * Context: Its kernel worker, takes running_lock.
 */
void hpkm_running_take_answers(struct hpkm_request *request)
{
	mutex_lock(&running_lock);
	if (request->answers) {
		kvfree(request->stale);
		request->stale = request->answers;
		request->stale_count = request->answer_count;
		request->answers = NULL;
		WRITE_ONCE(request->answer_count, 0);
	}
	mutex_unlock(&running_lock);
}

/**
 * hpkm_running_back_off() - sleep before the next attempt
 * @request: runs; to cancel it ends the sleep, and so does an answer
 * @deadline: jiffies
 * @delay_ms: so long, and longer the next time
 *
 * Context: Kernel worker.
 * Return: False when the deadline has come, or the client has gone.
 */
bool hpkm_running_back_off(struct hpkm_request *request, unsigned long deadline,
			   unsigned int *delay_ms)
{
	unsigned long delay = msecs_to_jiffies(*delay_ms);

	if (*delay_ms < BACKOFF_MAX_MS)
		*delay_ms = min(*delay_ms * 2, (unsigned int)BACKOFF_MAX_MS);
	if (hpkm_request_cancelled(request) || !time_before(jiffies, deadline))
		return false;
	delay = min(delay, deadline - jiffies);
	wait_event_timeout(request->wake, hpkm_request_cancelled(request) ||
			   READ_ONCE(request->answer_count), max(delay, 1UL));
	return !hpkm_request_cancelled(request);
}

/**
 * hpkm_running_end() - a request has run
 * @request: nobody else finds it any more, and it can be freed
 *
 * Context: Its kernel worker, takes running_lock.
 */
void hpkm_running_end(struct hpkm_request *request)
{
	mutex_lock(&running_lock);
	list_del(&request->node);
	running_count--;
	mutex_unlock(&running_lock);
}

int hpkm_running_init(void)
{
	workers = alloc_workqueue("hpkm", WQ_UNBOUND | WQ_HIGHPRI, RUNNING_MAX);
	return workers ? 0 : -ENOMEM;
}

/* Cancels all that runs and waits for its end. */
void hpkm_running_exit(void)
{
	struct hpkm_request *request;

	mutex_lock(&running_lock);
	closing = true;
	list_for_each_entry(request, &running, node)
		cancel_locked(request);
	mutex_unlock(&running_lock);
	destroy_workqueue(workers);
}
