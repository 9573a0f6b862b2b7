// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/debug/monitor/status: what the monitor says of itself, as text. */
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "monitor.h"

static struct dentry *dir;

static const char *const state_names[] = { "host", "transit", "free", "used", "private", "hole" };
static const char *const type_names[] = { "", "image", "table", "vmx", "state", "guest" };
static const char *const counter_names[MON_CNT_NR] = {
#define X(name, text) [MON_CNT_##name] = #name,
	MON_COUNTERS(X)
#undef X
};

static const char *const flush_names[MON_FLUSH_NR] = {
#define X(name, text) [MON_FLUSH_##name] = text,
	MON_FLUSHES(X)
#undef X
};

static const char *flushed(unsigned int features, unsigned int flush)
{
	if (features & MON_FEATURE_FLUSHED(flush))
		return "yes";
	if (features & MON_FEATURE_UNFLUSHED(flush))
		return "no: this CPU has no way to (update its microcode)";
	return "not needed on this CPU";
}

static void show_cpu(struct seq_file *m, unsigned int cpu, struct mon_cpu_status *s)
{
	unsigned int i;

	if (mon_hypercall(MON_HC_CPU_STATUS, cpu, __pa(s), 0, 0))
		return;
	for (i = 0; i < MON_NR_EXIT_REASONS; i++) {
		if (s->host_exits[i])
			seq_printf(m, "cpu %u host exit %u: %llu\n", cpu, i, s->host_exits[i]);
		if (s->guest_exits[i])
			seq_printf(m, "cpu %u guest exit %u: %llu\n", cpu, i, s->guest_exits[i]);
	}
	seq_printf(m, "cpu %u guest exits passed to host: %llu\n", cpu, s->guest_exits_to_host);
}

static int status_show(struct seq_file *m, void *unused)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	struct mon_status *s;
	unsigned int i, nr_cpus;
	long err;

	if (!page)
		return -ENOMEM;
	s = page_address(page);
	err = mon_hypercall(MON_HC_STATUS, __pa(s), 0, 0, 0);
	if (err) {
		__free_page(page);
		return err;
	}
	nr_cpus = s->nr_cpus;
	seq_printf(m, "launched: yes\nabi: %u\ncpus: %u\n", s->abi, nr_cpus);
	seq_printf(m, "image: %*phN\n", 32, mon_image_hash());
	seq_printf(m, "vmcs shadowing: %s\n", s->features & MON_FEATURE_SHADOW_VMCS ? "yes" : "no");
	for (i = 0; i < MON_FLUSH_NR; i++)
		seq_printf(m, "flush %s: %s\n", flush_names[i], flushed(s->features, i));
	for (i = 0; i < ARRAY_SIZE(state_names); i++)
		seq_printf(m, "frames %s: %llu\n", state_names[i], s->frames_by_state[i]);
	for (i = 1; i < ARRAY_SIZE(type_names); i++)
		seq_printf(m, "frames of type %s: %llu\n", type_names[i], s->frames_by_type[i]);
	for (i = 0; i < min_t(unsigned int, s->nr_counters, MON_CNT_NR); i++)
		seq_printf(m, "count %s: %llu\n", counter_names[i], s->counter[i]);
	for (i = 0; i < nr_cpus; i++)
		show_cpu(m, i, page_address(page));
	__free_page(page);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(status);

/* Where the monitor lies: "first frame, number" on each line. No secret: the host gave them. */
static int frames_show(struct seq_file *m, void *unused)
{
	struct mon_chunk chunk;
	unsigned int i;

	for (i = 0; mon_memory_block(i, &chunk); i++)
		seq_printf(m, "%#llx %llu\n", chunk.pfn, chunk.nr);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(frames);

DEFINE_SHOW_ATTRIBUTE(mon_vms);
DEFINE_SHOW_ATTRIBUTE(mon_enclaves);

int mon_status_init(void)
{
	dir = debugfs_create_dir("monitor", NULL);
	debugfs_create_file("status", 0400, dir, NULL, &status_fops);
	debugfs_create_file("frames", 0400, dir, NULL, &frames_fops);
	debugfs_create_file("domains", 0400, dir, NULL, &mon_vms_fops);
	debugfs_create_file("enclaves", 0400, dir, NULL, &mon_enclaves_fops);
	return 0;
}

void mon_status_exit(void)
{
	debugfs_remove_recursive(dir);
	dir = NULL; /* a reboot takes it away, too */
}
