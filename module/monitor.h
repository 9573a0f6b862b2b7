/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Linux side: it prepares the monitor's memory while the kernel is still
 * trusted, launches it, and is part of the untrusted host from then on.
 */
#ifndef _MODULE_MONITOR_H
#define _MODULE_MONITOR_H

#include <linux/types.h>
#include "../uapi/hypercall.h"

#define MON_LOG "monitor: "

/* memory.c: frames in chunks, and the page tables made of them */
int mon_memory_init(void);
void mon_memory_free(void);
void *mon_alloc_pages(unsigned int nr);
int mon_pool_add(unsigned int nr);
void mon_memory_describe(struct mon_boot_info *info);
bool mon_memory_block(unsigned int i, struct mon_chunk *chunk);
int mon_map(u64 va, u64 pa, u64 size, bool write, bool exec);
u64 mon_root_pa(void);

/* pool.c: frames that are out with the monitor; what VMs reserve of its pool */
struct page;
int mon_frames_out(struct page *page, unsigned int order);
void mon_frames_free_all(void);
int mon_pool_reserve(u64 frames);
void mon_pool_release(u64 frames);
int mon_pool_help(void);
#define MON_POOL_LOW 128U /* frames: each maps 2 MiB of some guest's */
void mon_pool_keep(u64 most);
void mon_pool_keep_none(u64 have);

/* pool_watch.c */
bool mon_pool_watch(void);

/* image.c */
int mon_image_load(u64 *entry);
extern char gate_page[], gate_page_end[];
const u8 *mon_image_hash(void);

/* launch.c */
int mon_launch(void);
int mon_unload(void);
void mon_launch_cleanup(void);
bool mon_launched(void);
int mon_cpu_index(unsigned int cpu);

/* hotplug.c: CPUs that come and go */
int mon_cpus_init(void);
void mon_cpus_exit(void);
void mon_cpus_freeze(bool freeze);
int mon_cpus_wake(unsigned int *first);
unsigned int mon_cpus_let_go(void);
void mon_cpus_wait_online(void);
bool mon_cpus_all_online(void);
bool mon_cpus_unknown(u32 *apic_id);

/* hotmem.c: memory that comes and goes */
int mon_ram_init(void);
void mon_ram_exit(void);
int mon_ram_find(struct mon_boot_info *info);
void mon_ram_forget(void);

/* power.c: sleep, reboot, kexec */
int mon_power_init(void);
void mon_power_exit(void);

/* ports.c: what resets the machine, for the monitor to see it coming */
void mon_power_ports(struct mon_boot_info *info);
int mon_map_apic(void);

/* hypercall.c */
long mon_hypercall(enum mon_hypercall nr, u64 a, u64 b, u64 c, u64 d);
int mon_every_cpu_passes(void);
#define MON_STEPS_SECONDS 60
long mon_all_steps(long (*step)(void *of), void *of);

/* hurry.c */
void mon_hurry_start(void);
void mon_hurry_stop(void);

/* kvm.c: stock kvm_intel reads the capabilities once, when it is loaded */
int mon_kvm_take_out(bool *was_loaded);
void mon_kvm_wait_out(bool *was_loaded);
void mon_kvm_put_back(void);

/* status.c */
int mon_status_init(void);
void mon_status_exit(void);

/* dev.c: /dev/monitor */
int mon_dev_init(void);
void mon_dev_exit(void);
int mon_copy_in(void *to, size_t size, size_t min, const void __user *from);
int mon_copy_out(void __user *to, void *from, size_t size);

/* Page tables of one level that a range needs; each covers 2^@shift bytes. */
static inline u64 mon_tables(u64 start, u64 end, unsigned int shift)
{
	return ((end - 1) >> shift) - (start >> shift) + 1;
}

/* share_pages.c: frames of VMs that processes of the host have mapped */
void mon_share_frame_back(u64 pfn);

/* table.c: what the monitor says of its tables */
struct mon_share_info;
int mon_share_by_id(u64 id, struct mon_share_info *info);
long mon_share_at(void __user *arg);
long mon_pages(void __user *arg);

/* vm.c: confidential VMs */
struct seq_file;
int mon_vm_arm(void __user *arg);
unsigned int mon_vm_count(void);
long mon_vms_destroy(void);
int mon_vms_show(struct seq_file *m, void *unused);

/* enclave.c */
long mon_enclave_create(void __user *arg);
long mon_enclave_evict_request(void __user *arg);
unsigned int mon_enclave_count(void);
long mon_enclaves_destroy(void);
int mon_enclaves_show(struct seq_file *m, void *unused);

/* enclave_shrink.c: what goes out when memory is short */
int mon_enclave_shrink_init(void);
void mon_enclave_shrink_exit(void);

#endif /* _MODULE_MONITOR_H */
