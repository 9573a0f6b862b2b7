// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls of the host: a dense table. An argument that is an address goes
 * through the gate; a call that is refused changes nothing.
 */
#include "../npt/npt.h"
#include "../vmx/mitigate.h"
#include "../vmx/switch.h"
#include "../vmx/thread.h"
#include "../vmx/vcpu.h"
#include "debug.h"
#include "domain.h"
#include "grant.h"
#include "hypercall.h"

#define CLOSE_REAPS 512

/* Every hypercall passes the epoch; this one also lets go of what is dying. */
static s64 hc_ping(struct cpu *cpu, const u64 *arg)
{
	(void)arg;
	if (vm_any())
		vcpu_clear_dying(cpu);
	return MON_ABI_VERSION;
}

static s64 hc_status(struct cpu *cpu, const u64 *arg)
{
	struct mon_status *out = host_ptr(arg[0], sizeof(*out)), status = { 0 };
	u32 i;

	(void)cpu;
	if (!out)
		return -MON_EFAULT;
	status.abi = MON_ABI_VERSION;
	status.nr_cpus = monitor.nr_cpus;
	status.frames_total = frame_count();
	for (i = 0; i < FRAME_STATES; i++)
		status.frames_by_state[i] = frame_state_count(i);
	for (i = 0; i < FRAME_TYPES; i++)
		status.frames_by_type[i] = frame_type_count(i);
	status.nr_counters = MON_CNT_NR;
	for (i = 0; i < MON_CNT_NR; i++)
		status.counter[i] = READ_ONCE(monitor.counter[i]);
	status.nr_domains = domain_count();
	status.features = (enclaves_possible() ? MON_FEATURE_ENCLAVES : 0) |
			  (vmx_caps.shadow_vmcs ? MON_FEATURE_SHADOW_VMCS : 0) |
			  (vmx_caps.ept_1g ? MON_FEATURE_1G_PAGES : 0) |
			  mitigations.done * MON_FEATURE_FLUSHED(0) |
			  mitigations.missing * MON_FEATURE_UNFLUSHED(0);
	memcpy(out, &status, sizeof(status));
	return 0;
}

static s64 hc_cpu_status(struct cpu *cpu, const u64 *arg)
{
	struct mon_cpu_status *out = host_ptr(arg[1], sizeof(*out));
	const struct cpu *of;

	(void)cpu;
	if (arg[0] >= monitor.nr_cpus)
		return -MON_EINVAL;
	if (!out)
		return -MON_EFAULT;
	of = cpu_of((u32)arg[0]);
	memcpy(out->host_exits, of->host_exits, sizeof(out->host_exits));
	memcpy(out->guest_exits, of->guest_exits, sizeof(out->guest_exits));
	out->guest_exits_to_host = of->guest_exits_to_host;
	return 0;
}

static s64 hc_donate(struct cpu *cpu, const u64 *arg)
{
	u64 epoch;

	(void)cpu;
	return domains_closed() ? -MON_EBUSY : npt_to_errno(host_donate(arg[0], arg[1], &epoch));
}

static s64 hc_settle(struct cpu *cpu, const u64 *arg)
{
	(void)cpu;
	return npt_to_errno(host_settle(arg[0], arg[1]));
}

static s64 hc_take_back(struct cpu *cpu, const u64 *arg)
{
	u64 pfn;
	int err = host_take_back(&pfn);

	(void)cpu;
	(void)arg;
	return err ? npt_to_errno(err) : (s64)pfn;
}

static bool may_leave; /* no frame has anything of a domain's, and none ever will */

/*
 * From here no domain can be made; a CPU that is in VMX operation keeps it open. What
 * the last one had is wiped before any CPU is native again: it would read it.
 */
static s64 hc_close(struct cpu *cpu, const u64 *arg)
{
	bool retired;
	u32 i;

	(void)cpu;
	(void)arg;
	for (i = 0; i < monitor.nr_cpus; i++)
		if (cpu_of(i)->nested.vmxon)
			return -MON_EBUSY;
	if (!domains_close())
		return -MON_EBUSY;
	spin_lock(&npt_lock);
	epoch_reap(CLOSE_REAPS);
	retired = frames_retired();
	spin_unlock(&npt_lock);
	if (retired)
		return -MON_EAGAIN;
	WRITE_ONCE(may_leave, true);
	return 0;
}

static s64 hc_leave(struct cpu *cpu, const u64 *arg)
{
	(void)arg;
	if (!READ_ONCE(may_leave) || cpu->nested.vmxon)
		return -MON_EPERM;
	cpu_leave(cpu);
}

static s64 hc_vm_create(struct cpu *cpu, const u64 *arg)
{
	const struct mon_vm_create *in = host_ptr(arg[0], sizeof(*in));
	struct mon_vm_create copy;

	(void)cpu;
	if (!in)
		return -MON_EFAULT;
	memcpy(&copy, in, sizeof(copy));
	return vm_create(&copy);
}

static s64 hc_vm_destroy(struct cpu *cpu, const u64 *arg)
{
	vcpu_clear_dying(cpu);
	return arg[0] > ~0U ? -MON_ENOENT : vm_destroy((u32)arg[0]);
}

static s64 hc_vm_status(struct cpu *cpu, const u64 *arg)
{
	struct mon_vm_status *out = host_ptr(arg[1], sizeof(*out)), status = { 0 };
	s64 err;

	(void)cpu;
	if (!out)
		return -MON_EFAULT;
	err = arg[0] > ~0U ? -MON_ENOENT : vm_status((u32)arg[0], &status);
	if (!err)
		memcpy(out, &status, sizeof(status));
	return err;
}

static s64 hc_vm_refill(struct cpu *cpu, const u64 *arg)
{
	(void)cpu;
	return arg[0] > ~0U ? -MON_ENOENT : vm_refill((u32)arg[0], arg[1]);
}

static s64 hc_vm_key(struct cpu *cpu, const u64 *arg)
{
	const u8 *in = host_ptr(arg[2], MON_VM_KEY_SIZE);
	u8 key[MON_VM_KEY_SIZE];
	s64 err;

	(void)cpu;
	if (!in)
		return -MON_EFAULT;
	memcpy(key, in, sizeof(key));
	err = arg[0] > ~0U ? -MON_ENOENT : vm_set_key((u32)arg[0], arg[1], key, arg[3]);
	memset(key, 0, sizeof(key));
	return err;
}

/* ---- shares ---- */

static s64 hc_share_offer(struct cpu *cpu, const u64 *arg)
{
	const struct mon_host_offer *in = host_ptr(arg[0], sizeof(*in));
	struct mon_host_offer copy;

	(void)cpu;
	if (!in)
		return -MON_EFAULT;
	memcpy(&copy, in, sizeof(copy));
	return grant_host_offer(&copy);
}

static s64 hc_share_accept(struct cpu *cpu, const u64 *arg)
{
	(void)cpu;
	return grant_host_accept(arg[0]);
}

static s64 hc_share_touch(struct cpu *cpu, const u64 *arg)
{
	u64 pfn = 0;
	int err = share_touch_host(arg[0], arg[1], &pfn);

	(void)cpu;
	return err ? npt_to_errno(err) : (s64)pfn;
}

static s64 hc_share_end(struct cpu *cpu, const u64 *arg)
{
	(void)cpu;
	return grant_end(DOM_HOST, arg[0]);
}

static s64 hc_share_at(struct cpu *cpu, const u64 *arg)
{
	struct mon_share_status *out = host_ptr(arg[1], sizeof(*out)), status = { 0 };
	s64 err;

	(void)cpu;
	if (!out)
		return -MON_EFAULT;
	err = grant_host_show(arg[0], &status);
	if (!err)
		memcpy(out, &status, sizeof(status));
	return err;
}

static s64 hc_waited(struct cpu *cpu, const u64 *arg)
{
	(void)cpu;
	(void)arg;
	return grant_waits();
}

/* ---- enclaves ---- */

static s64 hc_enclave_create(struct cpu *cpu, const u64 *arg)
{
	const struct mon_enclave_make *in = host_ptr(arg[0], sizeof(*in));
	struct mon_enclave_make copy;

	(void)cpu;
	if (!in)
		return -MON_EFAULT;
	memcpy(&copy, in, sizeof(copy));
	return enclave_create(&copy);
}

static s64 hc_enclave_add(struct cpu *cpu, const u64 *arg)
{
	const void *page = host_ptr(arg[3], PAGE_SIZE);

	(void)cpu;
	return page ? enclave_add(arg[0], arg[1], arg[2], page) : -MON_EFAULT;
}

static s64 hc_enclave_buffer(struct cpu *cpu, const u64 *arg)
{
	(void)cpu;
	return enclave_buffer(arg[0], arg[1], arg[2]);
}

static s64 hc_enclave_finish(struct cpu *cpu, const u64 *arg)
{
	(void)cpu;
	return enclave_finish(arg[0]);
}

static s64 hc_enclave_destroy(struct cpu *cpu, const u64 *arg)
{
	(void)cpu;
	return enclave_destroy(arg[0]);
}

static s64 hc_enclave_status(struct cpu *cpu, const u64 *arg)
{
	struct mon_enclave_status *out = host_ptr(arg[1], sizeof(*out)), status = { 0 };
	s64 err;

	(void)cpu;
	if (!out)
		return -MON_EFAULT;
	err = enclave_status(arg[0], &status);
	if (!err)
		memcpy(out, &status, sizeof(status));
	return err;
}

static s64 hc_enclave_refill(struct cpu *cpu, const u64 *arg)
{
	(void)cpu;
	return enclave_refill(arg[0], arg[1]);
}

static s64 hc_enclave_run(struct cpu *cpu, const u64 *arg)
{
	return thread_enter(cpu, arg);
}

static s64 hc_enclave_peek(struct cpu *cpu, const u64 *arg)
{
	void *page = host_ptr(arg[2], PAGE_SIZE);

	(void)cpu;
	return page ? enclave_peek(arg[0], arg[1], page, arg[3]) : -MON_EFAULT;
}

static s64 hc_enclave_pause(struct cpu *cpu, const u64 *arg)
{
	(void)cpu;
	return enclave_pause(arg[0], arg[1]);
}

static s64 hc_enclave_evict(struct cpu *cpu, const u64 *arg)
{
	struct mon_enclave_evicted *out = host_ptr(arg[2], sizeof(*out)), evicted = { 0 };
	void *page = host_ptr(arg[1], PAGE_SIZE);
	struct vectors vectors;
	s64 err;

	(void)cpu;
	if (!page || !out)
		return -MON_EFAULT;
	if (!crypto_possible())
		return -MON_ENOSYS;
	vectors_save(&vectors);
	err = enclave_evict(arg[0], page, &evicted);
	vectors_load(&vectors);
	if (!err)
		memcpy(out, &evicted, sizeof(evicted));
	return err;
}

static s64 hc_enclave_load(struct cpu *cpu, const u64 *arg)
{
	const struct mon_enclave_evicted *in = host_ptr(arg[3], sizeof(*in));
	const void *page = host_ptr(arg[2], PAGE_SIZE);
	struct mon_enclave_evicted copy;
	struct vectors vectors;
	s64 err;

	(void)cpu;
	if (!page || !in)
		return -MON_EFAULT;
	memcpy(&copy, in, sizeof(copy));
	vectors_save(&vectors);
	err = enclave_load(arg[0], arg[1], page, &copy);
	vectors_load(&vectors);
	return err;
}

/* ---- the table ---- */

/* Less the page that a frame of a VM backs: in which order it touches them is the VM's. */
static struct mon_frame frame_shown(u64 pfn)
{
	struct frame f = frame_get_info(pfn);
	struct mon_frame shown = { .state = f.state, .type = f.type, .owner = f.owner };

	if (f.state == FRAME_HOST && f.gfn)
		shown.flags = MON_FRAME_PINNED;
	if (f.shared) {
		shown.flags = MON_FRAME_SHARED | (f.peer_write ? MON_FRAME_PEER_WRITES : 0);
		shown.peer = f.peer;
	}
	return shown;
}

static s64 hc_frames(struct cpu *cpu, const u64 *arg)
{
	u64 pfn = arg[0], nr = arg[1], i;
	struct mon_frame *out;

	(void)cpu;
	if (!nr || nr > MON_FRAMES_MAX || pfn >= frame_count() || nr > frame_count() - pfn)
		return -MON_ERANGE;
	out = host_ptr(arg[2], nr * sizeof(*out));
	if (!out)
		return -MON_EFAULT;
	for (i = 0; i < nr; i++)
		out[i] = frame_shown(pfn + i);
	return 0;
}

static s64 (*const hypercalls[MON_HC_NR])(struct cpu *cpu, const u64 *arg) = {
	[MON_HC_PING] = hc_ping,	     [MON_HC_STATUS] = hc_status,
	[MON_HC_CPU_STATUS] = hc_cpu_status, [MON_HC_DONATE] = hc_donate,
	[MON_HC_SETTLE] = hc_settle,	     [MON_HC_TAKE_BACK] = hc_take_back,
	[MON_HC_CLOSE] = hc_close,	     [MON_HC_LEAVE] = hc_leave,
	[MON_HC_VM_CREATE] = hc_vm_create,   [MON_HC_VM_DESTROY] = hc_vm_destroy,
	[MON_HC_VM_STATUS] = hc_vm_status,   [MON_HC_VM_REFILL] = hc_vm_refill,
	[MON_HC_SHARE_OFFER] = hc_share_offer, [MON_HC_SHARE_ACCEPT] = hc_share_accept,
	[MON_HC_SHARE_TOUCH] = hc_share_touch, [MON_HC_SHARE_END] = hc_share_end,
	[MON_HC_SHARE_AT] = hc_share_at,     [MON_HC_FRAMES] = hc_frames,
	[MON_HC_WAITED] = hc_waited,	     [MON_HC_VM_KEY] = hc_vm_key,
	[MON_HC_ENCLAVE_CREATE] = hc_enclave_create, [MON_HC_ENCLAVE_ADD] = hc_enclave_add,
	[MON_HC_ENCLAVE_BUFFER] = hc_enclave_buffer, [MON_HC_ENCLAVE_FINISH] = hc_enclave_finish,
	[MON_HC_ENCLAVE_DESTROY] = hc_enclave_destroy, [MON_HC_ENCLAVE_STATUS] = hc_enclave_status,
	[MON_HC_ENCLAVE_REFILL] = hc_enclave_refill, [MON_HC_ENCLAVE_RUN] = hc_enclave_run,
	[MON_HC_ENCLAVE_PAUSE] = hc_enclave_pause, [MON_HC_ENCLAVE_EVICT] = hc_enclave_evict,
	[MON_HC_ENCLAVE_LOAD] = hc_enclave_load, [MON_HC_ENCLAVE_PEEK] = hc_enclave_peek,
};

/* The kernel; and for one call the process that it is about. */
static bool may_call(u64 number, const u64 *arg)
{
	u64 cpl = (vmread(GUEST_SS_AR_BYTES) >> 5) & 3;

	return !cpl || (cpl == 3 && number == MON_HC_ENCLAVE_RUN && thread_may_enter(arg));
}

/*
 * VMCALL outside VMX operation is #UD; so it is for who may not call and for a caller
 * that does not say the magic number.
 */
void host_hypercall(struct cpu *cpu)
{
	u64 number = cpu->gpr[RAX] ^ MON_HYPERCALL;
	u64 arg[4] = { cpu->gpr[RDI], cpu->gpr[RSI], cpu->gpr[RDX], cpu->gpr[R10] };
	s64 result;

	if (number > 0xffffffff || !may_call(number, arg)) {
		count(MON_CNT_BAD_HYPERCALL);
		inject_ud();
		return;
	}
	if (number >= MON_HC_NR || !hypercalls[number])
		result = -MON_ENOSYS;
	else
		result = hypercalls[number](cpu, arg);
	if (result < 0 && result != -MON_EAGAIN)
		count(MON_CNT_BAD_HYPERCALL);
	debug_check(number);
	if (cpu->thread) /* what the hypercall returns comes when it is left */
		return;
	cpu->gpr[RAX] = (u64)result;
	advance_rip();
}
