// SPDX-License-Identifier: GPL-2.0-only
/*
 * Launch: every CPU or none. All CPUs stop, each looks whether it can, then
 * each goes through the gate; if one fails the others come back out.
 */
#include <linux/cpu.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/vmalloc.h>
#include <asm/desc.h>
#include "monitor.h"

struct launch_error {
	const char *what, *remedy;
};

static const struct launch_error launch_errors[MON_LAUNCH_NR] = {
#define X(name, text, todo) [MON_LAUNCH_##name] = { text, todo },
	MON_LAUNCH_ERRORS(X)
#undef X
};

static const int launch_errno[MON_LAUNCH_NR] = {
	[MON_LAUNCH_NO_VMX] = -ENODEV,	      [MON_LAUNCH_LOCKED_OFF] = -EPERM,
	[MON_LAUNCH_IN_USE] = -EBUSY,	      [MON_LAUNCH_NO_EPT] = -ENODEV,
	[MON_LAUNCH_NO_UNRESTRICTED] = -ENODEV, [MON_LAUNCH_NO_MSR_BITMAP] = -ENODEV,
	[MON_LAUNCH_NO_VPID] = -ENODEV,	      [MON_LAUNCH_NO_CONTROL] = -ENODEV,
	[MON_LAUNCH_CR0] = -EOPNOTSUPP,	      [MON_LAUNCH_CR4] = -EOPNOTSUPP,
	[MON_LAUNCH_NO_MEMORY] = -ENOMEM,     [MON_LAUNCH_VMXON_FAILED] = -EIO,
	[MON_LAUNCH_ENTRY_FAILED] = -EIO,     [MON_LAUNCH_DIFFERENT_CPUS] = -EOPNOTSUPP,
	[MON_LAUNCH_CPU_CHANGE] = -EAGAIN,
	[MON_LAUNCH_BAD_BOOT_INFO] = -EINVAL, [MON_LAUNCH_PADDR] = -EOPNOTSUPP,
	[MON_LAUNCH_OFFLINE_CPU] = -EPERM,    [MON_LAUNCH_UNKNOWN_CPU] = -EPERM,
};

static struct mon_gate **gates; /* one page for each CPU */
static void *gate_data;
static unsigned int nr_gates;
static DEFINE_PER_CPU(unsigned int, gate_index);
static cpumask_t gate_cpus; /* that have a gate */
static bool launched;

#define POOL_PAGES_MIN 256U
#define POOL_PAGES_PER_GB 96U

static int gates_make(u64 entry)
{
	struct page **pages;
	unsigned int i;
	int err = -ENOMEM;

	pages = kcalloc(nr_gates, sizeof(*pages), GFP_KERNEL);
	gates = kcalloc(nr_gates, sizeof(*gates), GFP_KERNEL);
	if (!pages || !gates)
		goto out;
	for (i = 0; i < nr_gates; i++) {
		void *page = mon_alloc_pages(1);

		if (!page)
			goto out;
		pages[i] = virt_to_page(page);
	}
	gate_data = vmap(pages, nr_gates, VM_MAP, PAGE_KERNEL);
	if (!gate_data)
		goto out;
	err = 0;
	for (i = 0; !err && i < nr_gates; i++) {
		gates[i] = gate_data + i * PAGE_SIZE;
		err = mon_map((u64)gates[i], page_to_phys(pages[i]), PAGE_SIZE, true, false);
		gates[i]->monitor_cr3 = mon_root_pa();
		gates[i]->cpu = i;
		gates[i]->entry = entry;
		gates[i]->code = (u64)gate_page;
	}
out:
	kfree(pages);
	return err;
}

static int cpu_areas_make(void)
{
	unsigned int i, j;
	int err = 0;

	for (i = 0; !err && i < nr_gates; i++) {
		u64 va = MON_VA_CPU + i * MON_CPU_STRIDE;
		void *area = mon_alloc_pages(MON_CPU_AREA_PAGES);
		void *stack = mon_alloc_pages(MON_CPU_STACK_PAGES);

		if (!area || !stack)
			return -ENOMEM;
		err = mon_map(va, __pa(area), MON_CPU_AREA_PAGES * PAGE_SIZE, true, false);
		if (!err)
			err = mon_map(va + MON_CPU_STACK_TOP - MON_CPU_STACK_PAGES * PAGE_SIZE,
				      __pa(stack), MON_CPU_STACK_PAGES * PAGE_SIZE, true, false);
		for (j = 0; !err && j < MON_CPU_NR_IST; j++) {
			void *ist = mon_alloc_pages(1);

			err = ist ? mon_map(va + MON_CPU_IST_TOP + j * MON_CPU_IST_STEP - PAGE_SIZE,
					    __pa(ist), PAGE_SIZE, true, false) :
				    -ENOMEM;
		}
	}
	return err;
}

static int frame_table_make(u64 frames)
{
	u64 pages = DIV_ROUND_UP(frames * 8, PAGE_SIZE), done, n;
	int err = 0;

	for (done = 0; !err && done < pages; done += n) {
		void *mem;

		n = min_t(u64, pages - done, 512);
		mem = mon_alloc_pages(n);
		if (!mem)
			return -ENOMEM;
		err = mon_map(MON_VA_FRAME_TABLE + done * PAGE_SIZE, __pa(mem), n * PAGE_SIZE, true,
			      false);
	}
	return err;
}

static u64 highest_ram(const struct mon_boot_info *info)
{
	return info->ram[info->nr_ram - 1].end;
}

/* ---- on every CPU ---- */

struct rendezvous {
	atomic_t checked, done, failed;
	u32 error;
	u64 detail;
	unsigned int cpu;
};

static u64 gate_call(struct mon_gate *gate, enum mon_gate_op op, u64 arg)
{
	u64 (*enter)(struct mon_gate *) = (void *)gate_page;
	struct desc_ptr gdt;

	native_store_gdt(&gdt);
	memcpy(gate->gdt_copy, (void *)gdt.address, sizeof(gate->gdt_copy));
	gate->op = op;
	gate->arg = arg;
	gate->nmi = 0;
	return enter(gate);
}

/* NMIs that the gate swallowed happen now. After a launch the page reads as zeros. */
static void raise_lost_nmis(struct mon_gate *gate)
{
	if (gate->nmi)
		asm volatile("int $2");
}

static void note_failure(struct rendezvous *r, struct mon_gate *gate, u32 error)
{
	if (atomic_inc_return(&r->failed) != 1)
		return;
	r->error = error;
	r->detail = gate->detail;
	r->cpu = smp_processor_id();
}

static void all_arrive(atomic_t *count)
{
	atomic_inc(count);
	while (atomic_read(count) < nr_gates)
		cpu_relax();
}

static void leave_this_cpu(struct mon_gate *gate)
{
	mon_hypercall(MON_HC_CLOSE, 0, 0, 0, 0);
	mon_hypercall(MON_HC_LEAVE, 0, 0, 0, 0);
	raise_lost_nmis(gate);
}

static int launch_this_cpu(void *arg)
{
	struct rendezvous *r = arg;
	struct mon_gate *gate = gates[this_cpu_read(gate_index)];
	u64 error;

	if (num_online_cpus() != nr_gates) { /* one came or went since: all CPUs see that */
		r->error = MON_LAUNCH_CPU_CHANGE;
		return 0;
	}
	error = gate_call(gate, MON_GATE_CHECK, 0);
	raise_lost_nmis(gate);
	if (error)
		note_failure(r, gate, error);
	all_arrive(&r->checked);
	if (atomic_read(&r->failed))
		return 0;
	error = gate_call(gate, MON_GATE_LAUNCH, 0);
	if (error) {
		raise_lost_nmis(gate);
		note_failure(r, gate, error);
	}
	all_arrive(&r->done);
	if (atomic_read(&r->failed) && !error)
		leave_this_cpu(gate);
	return 0;
}

static int report(const char *step, u32 error, u64 detail, unsigned int cpu)
{
	if (!error)
		return 0;
	if (error >= MON_LAUNCH_NR) {
		pr_err(MON_LOG "cannot launch: unknown error %u in %s\n", error, step);
		return -EIO;
	}
	pr_err(MON_LOG "cannot launch: %s (%s, CPU %u, value %#llx). What to do: %s\n",
	       launch_errors[error].what, step, cpu, detail, launch_errors[error].remedy);
	return launch_errno[error];
}

static int init_image(struct mon_boot_info *info)
{
	struct mon_gate *gate;
	unsigned long flags;
	u32 error;

	preempt_disable();
	local_irq_save(flags);
	gate = gates[0];
	error = gate_call(gate, MON_GATE_INIT, __pa(info));
	raise_lost_nmis(gate);
	local_irq_restore(flags);
	preempt_enable();
	return report("set-up", error, gate->detail, 0);
}

static int prepare(struct mon_boot_info *info)
{
	u64 frames, entry;
	int err;

	err = mon_ram_find(info);
	if (err)
		return err;
	mon_power_ports(info);
	frames = highest_ram(info) >> PAGE_SHIFT;
	if (highest_ram(info) > (1ULL << 46))
		return report("memory map", MON_LAUNCH_PADDR, highest_ram(info), 0);
	info->abi = MON_ABI_VERSION;
	info->nr_cpus = nr_gates;
	info->frame_table_frames = frames;
	info->root_pa = mon_root_pa();
	memcpy(info->image_hash, mon_image_hash(), sizeof(info->image_hash));
	err = mon_image_load(&entry);
	if (!err)
		err = gates_make(entry);
	if (!err)
		err = cpu_areas_make();
	if (!err)
		err = frame_table_make(frames);
	if (!err)
		err = mon_map_apic();
	if (!err)
		err = mon_map(MON_VA_DIRECT, 0, ALIGN(highest_ram(info), 1ULL << 30), true, false);
	if (!err)
		err = mon_pool_add(POOL_PAGES_MIN + nr_gates * 16 +
				   (frames >> 18) * POOL_PAGES_PER_GB);
	if (!err)
		mon_memory_describe(info);
	return err;
}

static int rendezvous(void)
{
	struct rendezvous r = {};

	stop_machine(launch_this_cpu, &r, cpu_online_mask);
	return report("launch", r.error, r.detail, r.cpu);
}

/* See hotplug.c for why. */
static int every_cpu_online(void)
{
	unsigned int cpu;
	u32 apic_id;
	int err;

	if (mon_cpus_unknown(&apic_id))
		return report("CPUs", MON_LAUNCH_UNKNOWN_CPU, apic_id, 0);
	err = mon_cpus_wake(&cpu);
	return err ? report("CPUs", MON_LAUNCH_OFFLINE_CPU, -err, cpu) : 0;
}

int mon_launch(void)
{
	struct mon_boot_info *info;
	unsigned int cpu;
	int err;

	err = every_cpu_online();
	if (err)
		return err;
	info = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_RETRY_MAYFAIL,
					get_order(sizeof(*info)));
	if (!info)
		return report("memory", MON_LAUNCH_NO_MEMORY, 0, 0);
	cpus_read_lock();
	nr_gates = 0;
	cpumask_copy(&gate_cpus, cpu_online_mask);
	for_each_cpu(cpu, &gate_cpus)
		per_cpu(gate_index, cpu) = nr_gates++;
	cpus_read_unlock();
	err = nr_gates > MON_MAX_CPUS ? -E2BIG : mon_memory_init();
	if (!err)
		err = prepare(info);
	if (err == -ENOMEM)
		report("memory", MON_LAUNCH_NO_MEMORY, 0, 0);
	if (!err)
		err = init_image(info);
	if (!err)
		err = rendezvous();
	if (err)
		mon_launch_cleanup();
	else
		WRITE_ONCE(launched, true);
	free_pages((unsigned long)info, get_order(sizeof(*info)));
	return err;
}

bool mon_launched(void)
{
	return READ_ONCE(launched);
}

/**
 * mon_cpu_index() - how the monitor numbers a CPU
 * @cpu: the kernel's number
 *
 * -1: it was not there at launch.
 */
int mon_cpu_index(unsigned int cpu)
{
	return cpumask_test_cpu(cpu, &gate_cpus) ? per_cpu(gate_index, cpu) : -1;
}

void mon_launch_cleanup(void)
{
	vunmap(gate_data);
	kfree(gates);
	gate_data = NULL;
	gates = NULL;
	mon_memory_free();
	mon_ram_forget();
}

static int leave_all(void *unused)
{
	mon_hypercall(MON_HC_LEAVE, 0, 0, 0, 0);
	raise_lost_nmis(gates[this_cpu_read(gate_index)]);
	return 0;
}

#define CLOSE_TRIES 100000 /* each wipes some frames */

int mon_unload(void)
{
	unsigned int tries;
	long err = -MON_EAGAIN;

	if (!launched)
		return 0;
	for (tries = 0; err == -MON_EAGAIN && tries < CLOSE_TRIES; tries++) {
		err = mon_hypercall(MON_HC_CLOSE, 0, 0, 0, 0);
		if (err == -MON_EAGAIN)
			mon_every_cpu_passes();
	}
	if (err)
		return err;
	stop_machine(leave_all, NULL, cpu_online_mask);
	WRITE_ONCE(launched, false);
	mon_launch_cleanup();
	return 0;
}
