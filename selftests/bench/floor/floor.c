// SPDX-License-Identifier: GPL-2.0
/*
 * What a stop costs when nothing is done in it: the floor that hpkm's pause is
 * measured against.  Only for the bench's virtual machine, never installed.
 *
 * Each read of /sys/module/hpkm_floor/parameters/stop stops the machine once
 * and shows how many nanoseconds the call took.  It is made where hpkm makes
 * it, in an unbound worker of high priority, and timed as pause_ns is.
 */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/stop_machine.h>
#include <linux/workqueue.h>

static struct workqueue_struct *workers;

struct floor_stop {
	struct work_struct work;
	u64 ns;
	int ret;
};

static int do_nothing(void *unused)
{
	return 0;
}

static void stop_once(struct work_struct *work)
{
	struct floor_stop *stop = container_of(work, struct floor_stop, work);
	u64 start = ktime_get_ns();

	stop->ret = stop_machine(do_nothing, NULL, cpu_online_mask);
	stop->ns = ktime_get_ns() - start;
}

static int get_stop(char *text, const struct kernel_param *param)
{
	struct floor_stop stop = { 0 };

	/* Parameters can be read before the module's init has run. */
	if (!workers)
		return -EAGAIN;
	INIT_WORK_ONSTACK(&stop.work, stop_once);
	queue_work(workers, &stop.work);
	flush_work(&stop.work);
	destroy_work_on_stack(&stop.work);
	return stop.ret ?: sysfs_emit(text, "%llu\n", stop.ns);
}

static const struct kernel_param_ops stop_ops = { .get = get_stop };

module_param_cb(stop, &stop_ops, NULL, 0400);
MODULE_PARM_DESC(stop, "stops the machine when read: nanoseconds");

static int __init floor_init(void)
{
	workers = alloc_workqueue("hpkm_floor", WQ_UNBOUND | WQ_HIGHPRI, 1);
	return workers ? 0 : -ENOMEM;
}

static void __exit floor_exit(void)
{
	destroy_workqueue(workers);
}

module_init(floor_init);
module_exit(floor_exit);

MODULE_DESCRIPTION("The cost of an empty stop_machine()");
MODULE_LICENSE("GPL");
