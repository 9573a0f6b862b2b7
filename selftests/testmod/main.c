// SPDX-License-Identifier: GPL-2.0-only
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <asm/fpu/api.h>
#include "testmod.h"

#define ANSWER_SIZE (2 << 20)

static const struct command *const tables[] = { memory_commands, search_commands, cpu_commands,
					       event_commands, vmx_commands,
					       vmx_entry_commands, cost_commands,
					       race_commands, eptp_commands, hot_commands,
					       enclave_commands, enclave_state_commands };
static DEFINE_MUTEX(lock);
static char *answer;
static size_t answer_len;
static struct dentry *dir;

void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	answer_len += vscnprintf(answer + answer_len, ANSWER_SIZE - answer_len, format, ap);
	va_end(ap);
}

void say_fault(int vector)
{
	say("fault %d\n", vector);
}

struct on {
	void (*fn)(void *arg);
	void *arg;
	bool busy;
};

static void on_here(void *arg)
{
	struct on *on = arg;

	on->busy = !irq_fpu_usable();
	if (!on->busy)
		on->fn(on->arg);
}

static long nothing_here(void *arg)
{
	return 0;
}

/* The interrupt came amid a softirq. That goes on only if no other comes right behind it. */
void let_go_on(u64 cpu)
{
	work_on_cpu(cpu, nothing_here, NULL);
}

/* What runs there may use vector registers: not amid the kernel's own use, but a moment later. */
int run_on(u64 cpu, void (*fn)(void *), void *arg)
{
	struct on on = { fn, arg, false };
	int err;

	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	for (;;) {
		err = smp_call_function_single(cpu, on_here, &on, 1);
		if (err || !on.busy)
			return err;
		let_go_on(cpu);
	}
}

static int dispatch(char *line)
{
	struct args args = {};
	const char *name;
	unsigned int i;
	char *word;

	name = strsep(&line, " ");
	while ((word = strsep(&line, " "))) {
		if (!*word)
			continue;
		if (args.nr == MAX_ARGS)
			return -E2BIG;
		args.word[args.nr] = word;
		if (kstrtou64(word, 0, &args.num[args.nr]))
			args.num[args.nr] = 0;
		args.nr++;
	}
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		const struct command *c;

		for (c = tables[i]; c->name; c++)
			if (!strcmp(c->name, name))
				return args.nr < c->min_args ? -EINVAL : c->run(&args);
	}
	return -ENOENT;
}

static ssize_t do_write(struct file *file, const char __user *user, size_t size, loff_t *pos)
{
	char *line;
	int err;

	if (size > PAGE_SIZE)
		return -E2BIG;
	line = memdup_user_nul(user, size);
	if (IS_ERR(line))
		return PTR_ERR(line);
	mutex_lock(&lock);
	answer_len = 0;
	err = dispatch(strim(line));
	mutex_unlock(&lock);
	kfree(line);
	return err ? err : size;
}

static ssize_t do_read(struct file *file, char __user *user, size_t size, loff_t *pos)
{
	ssize_t n;

	mutex_lock(&lock);
	n = simple_read_from_buffer(user, size, pos, answer, answer_len);
	mutex_unlock(&lock);
	return n;
}

/* Any frame, by its number, for user mode. */
static int map_frames(struct file *file, struct vm_area_struct *vma)
{
	return remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
			       vma->vm_page_prot);
}

static const struct file_operations do_fops = {
	.owner = THIS_MODULE,
	.read = do_read,
	.write = do_write,
	.mmap = map_frames,
};

static int __init testmod_init(void)
{
	int err;

	answer = vzalloc(ANSWER_SIZE);
	if (!answer)
		return -ENOMEM;
	err = memory_init();
	if (err)
		goto out_answer;
	err = event_init();
	if (err)
		goto out_memory;
	err = vmx_init();
	if (err)
		goto out_event;
	dir = debugfs_create_dir("testmod", NULL);
	debugfs_create_file_unsafe("do", 0600, dir, NULL, &do_fops);
	return 0;

out_event:
	event_exit();
out_memory:
	memory_exit();
out_answer:
	vfree(answer);
	return err;
}

static void __exit testmod_exit(void)
{
	debugfs_remove_recursive(dir);
	eptp_exit();
	vmx_exit();
	event_exit();
	memory_exit();
	vfree(answer);
}

module_init(testmod_init);
module_exit(testmod_exit);
MODULE_DESCRIPTION("What a hostile kernel module would try");
MODULE_LICENSE("GPL");
