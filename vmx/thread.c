// SPDX-License-Identifier: GPL-2.0-only
/* Threads of enclaves: making, entry, and the way back to the host. */
#include "mitigate.h"
#include "switch.h"
#include "thread.h"
#include "../core/domain.h"

#define CPUID_1_XSAVE BIT(26)
#define CPUID_1_RDRAND BIT(30)
#define CPUID_7_FSGSBASE BIT(0)
#define CPUID_80000001_1G BIT(26)
#define CR0_THREAD 0x80010033ULL /* PG WP NE ET MP PE */
#define CR4_THREAD (BIT(5) | BIT(6) | BIT(9) | BIT(10) | BIT(16) | BIT(18)) /* see below */
#define EFER_THREAD (BIT(8) | BIT(10) | BIT(11)) /* LME LMA NXE; no SCE: SYSCALL is #UD */
#define PAT_RESET 0x0007040600070406ULL
#define EPTP_WB_4LEVEL (MT_WB | 3ULL << 3)
#define SELECTOR_CODE 0x33
#define SELECTOR_STACK 0x2b
#define SELECTOR_TSS 0x40
#define AR_CODE64_DPL3 0xa0fb
#define AR_DATA_DPL3 0xc0f3
#define AR_TSS64_BUSY 0x8b
#define RFLAGS_FIXED 2

/* Below those of vCPUs; translations are tagged with the EPT root as well (SDM 29.4.1). */
#define VPID_ENCLAVES 0xfe00

/* Not PKRU: an enclave has no protection keys, and the host's stay in the CPU. */
static u64 components;
static bool possible;

/* Preserved by a call (System V psABI 3.2.1); RSP is in the VMCS. */
static const u8 preserved[] = { RBX, RBP, R12, R13, R14, R15 };

void thread_init(void)
{
	u32 a, b, c, d, features;

	cpuid(1, 0, &a, &b, &features, &d);
	cpuid(7, 0, &a, &b, &c, &d);
	possible = (features & CPUID_1_XSAVE) && (features & CPUID_1_RDRAND) &&
		   (b & CPUID_7_FSGSBASE);
	cpuid(0x80000001, 0, &a, &b, &c, &d);
	possible = possible && (d & CPUID_80000001_1G);
	components = xcr0_possible & ~XCR0_PKRU;
	if (possible)
		enclave_init(monitor.image_hash);
	if (possible && vmx_caps.crypto)
		enclave_evict_init();
}

bool enclaves_possible(void)
{
	return possible;
}

int thread_cpu_init(struct cpu *cpu)
{
	if (!possible)
		return NPT_OK;
	if (vmcs_init(&cpu->enclave_vmcs))
		return NPT_EPOOL;
	spin_lock(&npt_lock);
	cpu->xsave_pfn = frame_get(FRAME_STATE);
	spin_unlock(&npt_lock);
	return cpu->xsave_pfn == INVALID_PFN ? NPT_EPOOL : NPT_OK;
}

struct thread *thread_new(struct enclave *e, u32 index)
{
	struct thread *t = NULL;
	u64 pfn;

	spin_lock(&npt_lock);
	if (frame_state_count(FRAME_FREE) >= NPT_POOL_RESERVE + 2) {
		pfn = frame_get(FRAME_STATE);
		t = frame_ptr(pfn);
		t->pfn = pfn;
		t->xsave_pfn = frame_get(FRAME_STATE);
	}
	spin_unlock(&npt_lock);
	if (t) {
		t->enclave = e;
		t->index = index;
	}
	return t;
}

void thread_free(struct thread *t)
{
	spin_lock(&npt_lock);
	frame_retire(t->xsave_pfn);
	frame_retire(t->pfn);
	spin_unlock(&npt_lock);
}

bool thread_idle(const struct thread *t)
{
	return READ_ONCE(t->state) != THREAD_RUNNING;
}

bool thread_passed(const struct thread *t, u64 epoch)
{
	return thread_idle(t) || epoch_passed_by(t->cpu, epoch);
}

/* Beside what is preserved, @gpr of one that calls is of some exit before. */
bool thread_registers(const struct thread *t, struct mon_enclave_registers *out)
{
	u32 i, state = __atomic_load_n(&t->state, __ATOMIC_ACQUIRE); /* see thread_leave() */

	if (state == THREAD_RUNNING)
		return false;
	out->state = state;
	if (state == THREAD_IDLE)
		return true;
	for (i = 0; i < ARRAY_SIZE(preserved); i++)
		out->gpr[preserved[i]] = t->gpr[preserved[i]];
	if (state != THREAD_CALLING)
		memcpy(out->gpr, t->gpr, sizeof(out->gpr));
	out->gpr[RSP] = t->gpr[RSP];
	out->rip = t->rip;
	out->rflags = t->rflags;
	out->fs_base = t->fs_base;
	out->gs_base = t->gs_base;
	return true;
}

/* ---- the VMCS of a CPU ---- */

/*
 * All exceptions are exits, so no descriptor table is ever used: INT n finds none and is #GP.
 * CR4: PAE MCE OSFXSR OSXMMEXCPT FSGSBASE OSXSAVE.
 */
static void write_state(void)
{
	vmcs_write_reset_state();
	vmwrite(GUEST_CR0, CR0_THREAD | vmx_caps.cr0_fixed0);
	vmwrite(CR0_GUEST_HOST_MASK, ~0ULL);
	vmwrite(CR0_READ_SHADOW, CR0_THREAD);
	vmwrite(GUEST_CR3, ENCLAVE_TABLES);
	vmwrite(GUEST_CR4, CR4_THREAD | vmx_caps.cr4_fixed0);
	vmwrite(CR4_GUEST_HOST_MASK, ~0ULL);
	vmwrite(CR4_READ_SHADOW, CR4_THREAD);
	vmwrite(GUEST_IA32_EFER, EFER_THREAD);
	vmwrite(GUEST_IA32_PAT, PAT_RESET);
	vmwrite(GUEST_IA32_DEBUGCTL, 0);
	vmwrite(GUEST_CS_SELECTOR, SELECTOR_CODE);
	vmwrite(GUEST_CS_BASE, 0);
	vmwrite(GUEST_CS_LIMIT, 0xffffffff);
	vmwrite(GUEST_CS_AR_BYTES, AR_CODE64_DPL3);
	vmwrite(GUEST_SS_SELECTOR, SELECTOR_STACK);
	vmwrite(GUEST_SS_LIMIT, 0xffffffff);
	vmwrite(GUEST_SS_AR_BYTES, AR_DATA_DPL3);
	vmwrite(GUEST_DS_AR_BYTES, SEG_AR_UNUSABLE);
	vmwrite(GUEST_ES_AR_BYTES, SEG_AR_UNUSABLE);
	vmwrite(GUEST_FS_AR_BYTES, SEG_AR_UNUSABLE);
	vmwrite(GUEST_GS_AR_BYTES, SEG_AR_UNUSABLE);
	vmwrite(GUEST_LDTR_AR_BYTES, SEG_AR_UNUSABLE);
	vmwrite(GUEST_TR_SELECTOR, SELECTOR_TSS);
	vmwrite(GUEST_TR_LIMIT, 0); /* no map of ports in it (SDM vol 1, 19.5.2) */
	vmwrite(GUEST_TR_AR_BYTES, AR_TSS64_BUSY);
	vmwrite(GUEST_GDTR_LIMIT, 0);
	vmwrite(GUEST_IDTR_LIMIT, 0);
	vmwrite(GUEST_ACTIVITY_STATE, ACTIVITY_ACTIVE);
	vmwrite(GUEST_SYSENTER_CS, 0);
	vmwrite(GUEST_SYSENTER_ESP, 0);
	vmwrite(GUEST_SYSENTER_EIP, 0);
	vmwrite(VMCS_LINK_POINTER, ~0ULL);
}

static void write_controls(void)
{
	vmwrite(PIN_BASED_VM_EXEC_CONTROL,
		control_fit(PIN_EXT_INTR_EXITING | PIN_NMI_EXITING, vmx_caps.pin));
	vmwrite(CPU_BASED_VM_EXEC_CONTROL,
		control_fit(CPU_HLT_EXITING | CPU_UNCOND_IO_EXITING | CPU_RDPMC_EXITING |
			    CPU_MWAIT_EXITING | CPU_MONITOR_EXITING | CPU_SECONDARY_CONTROLS,
			    vmx_caps.cpu));
	vmwrite(SECONDARY_VM_EXEC_CONTROL,
		control_fit(CPU2_ENABLE_EPT | CPU2_ENABLE_VPID | CPU2_UNRESTRICTED_GUEST |
			    CPU2_WBINVD_EXITING, vmx_caps.cpu2));
	vmcs_write_common_controls();
	vmwrite(EXCEPTION_BITMAP, 0xffffffff);
	vmwrite(VIRTUAL_PROCESSOR_ID, VPID_ENCLAVES);
	if (vmx_caps.perf_global)
		vmwrite(GUEST_IA32_PERF_GLOBAL_CTRL, 0);
}

static void load_vmcs(struct cpu *cpu)
{
	bool new = !cpu->enclave_vmcs_made;

	if (new)
		vmcs_clear(cpu, &cpu->enclave_vmcs);
	vmcs_load(cpu, &cpu->enclave_vmcs);
	if (!new)
		return;
	write_state();
	write_controls();
	vmcs_write_host_state(cpu);
	cpu->enclave_vmcs_made = true;
}

/* ---- entry ---- */

/* What each may be entered with; the others may not be entered. */
static const u8 op_of[] = {
	[THREAD_IDLE] = MON_ENCLAVE_CALL,
	[THREAD_CALLING] = MON_ENCLAVE_ANSWER,
	[THREAD_INTERRUPTED] = MON_ENCLAVE_RESUME,
};

static s64 claim(struct enclave *e, u64 index, u64 op, u32 cpu, struct thread **out)
{
	struct thread *t;
	s64 err = 0;

	if (index >= e->policy.nr_threads)
		return -MON_EINVAL;
	spin_lock(&e->lock);
	t = e->thread[index];
	if (e->paused) {
		err = -MON_EAGAIN;
	} else if (e->state != MON_ENCLAVE_READY || t->state >= ARRAY_SIZE(op_of)) {
		err = -MON_EBUSY;
	} else if (op_of[t->state] != op) {
		err = -MON_EINVAL;
	} else {
		t->state = THREAD_RUNNING;
		t->cpu = cpu;
		e->entries++;
		*out = t;
	}
	spin_unlock(&e->lock);
	return err;
}

/* One by one: this is half of what REP STOS takes. */
static void gprs_clear(struct cpu *cpu)
{
	volatile u64 *gpr = cpu->gpr;
	u32 i;

#pragma GCC unroll 16
	for (i = 0; i < NR_GPRS; i++)
		gpr[i] = 0;
}

static void preserved_save(const struct cpu *cpu, u64 *to)
{
	u32 i;

#pragma GCC unroll 6
	for (i = 0; i < ARRAY_SIZE(preserved); i++)
		to[preserved[i]] = cpu->gpr[preserved[i]];
}

static void preserved_load(struct cpu *cpu, const u64 *from)
{
	u32 i;

#pragma GCC unroll 6
	for (i = 0; i < ARRAY_SIZE(preserved); i++)
		cpu->gpr[preserved[i]] = from[preserved[i]];
}

static void registers_in(struct cpu *cpu, struct thread *t, u64 op, const u64 *arg)
{
	const struct enclave *e = t->enclave;

	switch (op) {
	case MON_ENCLAVE_CALL:
		gprs_clear(cpu);
		cpu->gpr[RDI] = arg[0];
		cpu->gpr[RSI] = arg[1];
		cpu->gpr[RDX] = t->index;
		t->gpr[RSP] = enclave_stack_page(e, t->index);
		t->fs_base = t->gpr[RSP];
		t->gs_base = 0;
		t->pending_dbg = 0;
		t->rip = e->policy.entry;
		t->rflags = RFLAGS_FIXED;
		break;
	case MON_ENCLAVE_ANSWER:
		gprs_clear(cpu);
		preserved_load(cpu, t->gpr);
		cpu->gpr[RAX] = arg[0];
		break;
	default:
		memcpy(cpu->gpr, t->gpr, sizeof(cpu->gpr));
	}
}

static void vectors_in(struct cpu *cpu, struct thread *t, const void *area)
{
	t->host_xcr0 = xgetbv();
	if ((t->host_xcr0 & components) != components)
		xsetbv(components);
	xsave(frame_ptr(cpu->xsave_pfn), components);
	xrstor(area, components);
	if (t->host_xcr0 != components)
		xsetbv(components);
}

/*
 * load_vmcs() has written all of them once. Selectors: a thread can load any of the null ones, and
 * read it.
 */
static void state_in(const struct thread *t)
{
	vmwrite_known(EPT_POINTER, t->enclave->npt.root << PAGE_SHIFT | EPTP_WB_4LEVEL);
	vmwrite_known(GUEST_RIP, t->rip);
	vmwrite_known(GUEST_RSP, t->gpr[RSP]);
	vmwrite_known(GUEST_RFLAGS, t->rflags);
	vmwrite_known(GUEST_FS_BASE, t->fs_base);
	vmwrite_known(GUEST_GS_BASE, t->gs_base);
	vmwrite_known(GUEST_DS_SELECTOR, 0);
	vmwrite_known(GUEST_ES_SELECTOR, 0);
	vmwrite_known(GUEST_FS_SELECTOR, 0);
	vmwrite_known(GUEST_GS_SELECTOR, 0);
	vmwrite_known(GUEST_INTERRUPTIBILITY_INFO, 0);
	/* Of a thread that steps itself: it would be the next one's. */
	vmwrite_known(GUEST_PENDING_DBG_EXCEPTIONS, t->pending_dbg);
}

bool thread_may_enter(const u64 *arg)
{
	const struct enclave *e = enclave_of((u32)arg[0]);

	return e && e->host_cr3 && e->host_cr3 == (vmread(GUEST_CR3) & CR3_PROCESS);
}

s64 thread_enter(struct cpu *cpu, const u64 *arg)
{
	struct enclave *e = enclave_of((u32)arg[0]);
	u64 op = arg[1];
	struct thread *t;
	s64 err;

	if (!e)
		return -MON_ENOENT;
	/* Under an NMI of the host's: the next one would find the thread, and not be blocked. */
	if (vmread(GUEST_INTERRUPTIBILITY_INFO))
		return -MON_EBUSY;
	err = claim(e, arg[0] >> 32, op, cpu->index, &t);
	if (err)
		return err;
	epoch_pass(cpu->index); /* what was taken away before has waited for no idle thread */
	vmwrite_known(GUEST_RIP, vmread(GUEST_RIP) + vmread(VM_EXIT_INSTRUCTION_LEN));
	preserved_save(cpu, t->host_gpr);
	load_vmcs(cpu);
	t->host_lbr = lbr_stop();
	mitigate_into_guest();
	registers_in(cpu, t, op, arg + 2);
	vectors_in(cpu, t, op == MON_ENCLAVE_CALL ? xsave_initial : frame_ptr(t->xsave_pfn));
	state_in(t);
	cpu->thread = t;
	return 0;
}

/* ---- the way back ---- */

static void state_out(struct cpu *cpu, struct thread *t, enum thread_state next)
{
	if (next == THREAD_IDLE)
		return;
	if (next == THREAD_CALLING)
		preserved_save(cpu, t->gpr);
	else
		memcpy(t->gpr, cpu->gpr, sizeof(t->gpr));
	t->gpr[RSP] = vmread(GUEST_RSP);
	t->rip = vmread(GUEST_RIP);
	t->rflags = vmread(GUEST_RFLAGS);
	t->fs_base = vmread(GUEST_FS_BASE);
	t->gs_base = vmread(GUEST_GS_BASE);
	t->pending_dbg = vmread(GUEST_PENDING_DBG_EXCEPTIONS);
	xsave(frame_ptr(t->xsave_pfn), components);
}

void thread_leave(struct cpu *cpu, enum thread_state next, enum mon_enclave_exit why, u64 a, u64 b)
{
	struct thread *t = cpu->thread;

	state_out(cpu, t, next);
	xrstor(frame_ptr(cpu->xsave_pfn), components);
	if (t->host_xcr0 != components)
		xsetbv(t->host_xcr0);
	lbr_go_on(t->host_lbr);
	vmcs_load(cpu, &cpu->vmcs01);
	gprs_clear(cpu);
	preserved_load(cpu, t->host_gpr);
	cpu->gpr[RAX] = why;
	cpu->gpr[RSI] = a;
	cpu->gpr[RDX] = b;
	cpu->thread = NULL;
	if (next == THREAD_FAULTED)
		__atomic_fetch_add(&t->enclave->faulted, 1, __ATOMIC_RELAXED);
	/* From here on another CPU may enter it, or free it. */
	__atomic_store_n(&t->state, next, __ATOMIC_RELEASE);
	mitigate_into_host();
}
