// SPDX-License-Identifier: GPL-2.0-only
/*
 * Late launch: the running host becomes the guest of vmcs01, CPU by CPU, and
 * back. Until the last CPU has launched the host is still trusted; it has made
 * the page tables this runs on and the boot information.
 */
#include "mitigate.h"
#include "thread.h"
#include "vcpu.h"
#include "../npt/npt.h"

#define MSR_FEAT_CTL 0x3a
#define MSR_PAT 0x277
#define MSR_EFER 0xc0000080
#define MSR_DEBUGCTL 0x1d9
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_PERF_GLOBAL_CTRL 0x38f
#define MSR_GS_BASE 0xc0000101
#define MSR_MTRR_CAP 0xfe
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MSR_MTRR_PHYSBASE0 0x200

#define CR0_NE BIT(5)
#define CR4_VMXE BIT(13)
#define CR4_SMXE BIT(14)
#define CR4_OSXSAVE BIT(18)
#define CR4_PGE BIT(7)
#define CR4_MCE BIT(6)
#define EFER_HOST (BIT(0) | BIT(8) | BIT(10) | BIT(11)) /* SCE LME LMA NXE */
#define PAT_HOST 0x0007040600070406ULL

/* What this monitor knows to pass through: PE..ET NE WP AM CD NW PG (SDM 2.5). */
#define CR0_KNOWN 0xe005003fULL
/* VME..UMIP, LA57, VMXE, FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP, PKE, CET, LASS, LAM_SUP */
#define CR4_KNOWN (0xf77fffULL | BIT(27) | BIT(28))

#define SEL_CODE 0x10
#define SEL_DATA 0x18
#define SEL_TSS 0x20

#define VPID_HOST 1

struct monitor monitor;

extern char vmx_exit[], exception_stubs[], nmi_stub[], mce_stub[], gate_page[], gate_leave[];
u64 call_on_stack(u64 (*fn)(struct cpu *), struct cpu *cpu, u64 stack_top);
void enter_host(u64 stack_top) __attribute__((__noreturn__));

/* ---- the CPU's own descriptor tables ---- */

static u64 stack_top(const struct cpu *cpu)
{
	return (u64)cpu + MON_CPU_STACK_TOP;
}

static void idt_set(struct cpu *cpu, u32 vector, const void *handler, u32 ist)
{
	u64 a = (u64)handler;

	cpu->idt[vector].lo = (a & 0xffff) | (u64)SEL_CODE << 16 | (u64)ist << 32 |
			      0x8e00ULL << 32 | (a & 0xffff0000) << 32;
	cpu->idt[vector].hi = a >> 32;
}

static void tables_make(struct cpu *cpu)
{
	u64 tss = (u64)cpu->tss;
	u32 i;

	cpu->gdt[SEL_CODE / 8] = 0x00af9b000000ffffULL;
	cpu->gdt[SEL_DATA / 8] = 0x00cf93000000ffffULL;
	cpu->gdt[SEL_TSS / 8] = (sizeof(cpu->tss) - 1) | (tss & 0xffffff) << 16 | 0x89ULL << 40 |
				(tss >> 24 & 0xff) << 56;
	cpu->gdt[SEL_TSS / 8 + 1] = tss >> 32;
	/* TSS: IST1 at byte 36 (SDM 8.7) */
	for (i = 0; i < MON_CPU_NR_IST; i++) {
		u64 top = (u64)cpu + MON_CPU_IST_TOP + i * MON_CPU_IST_STEP;

		memcpy((u8 *)cpu->tss + 36 + 8 * i, &top, sizeof(top));
	}
	for (i = 0; i < 32; i++)
		idt_set(cpu, i, exception_stubs + 16 * i, 0);
	idt_set(cpu, 2, nmi_stub, 1);
	idt_set(cpu, 18, mce_stub, 2);
	idt_set(cpu, 8, exception_stubs + 16 * 8, 3);
}

static void tables_load(struct cpu *cpu)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) gdt = { sizeof(cpu->gdt) - 1, (u64)cpu->gdt },
				  idt = { sizeof(cpu->idt) - 1, (u64)cpu->idt };

	wrmsr(MSR_GS_BASE, (u64)cpu);
	cpu->gdt[SEL_TSS / 8] &= ~(2ULL << 40); /* not busy */
	asm volatile("lgdt %0" : : "m"(gdt));
	asm volatile("ltr %w0" : : "r"(SEL_TSS));
	asm volatile("lidt %0" : : "m"(idt));
}

/* ---- once, on the first CPU ---- */

static void mtrr_read(struct mtrr_state *mtrr)
{
	static const u16 fixed[11] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
				       0x26b, 0x26c, 0x26d, 0x26e, 0x26f };
	u64 cap = rdmsr(MSR_MTRR_CAP);
	u32 i;

	mtrr->def_type = rdmsr(MSR_MTRR_DEF_TYPE);
	mtrr->has_fixed = cap & BIT(8);
	mtrr->nr_var = min_u64(cap & 0xff, MTRR_VAR_MAX);
	for (i = 0; mtrr->has_fixed && i < ARRAY_SIZE(fixed); i++)
		mtrr->fixed[i] = rdmsr(fixed[i]);
	for (i = 0; i < mtrr->nr_var; i++) {
		mtrr->base[i] = rdmsr(MSR_MTRR_PHYSBASE0 + 2 * i);
		mtrr->mask[i] = rdmsr(MSR_MTRR_PHYSBASE0 + 2 * i + 1);
	}
}

static int claim_chunks(const struct mon_boot_info *info)
{
	u32 i;
	u64 n;
	int err;

	for (i = 0; i < info->nr_chunks; i++) {
		bool pool = i >= info->nr_claimed;

		err = frame_claim_boot(info->chunk[i].pfn, info->chunk[i].nr, FRAME_IMAGE);
		if (err)
			return err;
		for (n = 0; pool && n < info->chunk[i].nr; n++)
			frame_put(info->chunk[i].pfn + n);
	}
	return NPT_OK;
}

static u64 boot_info_pa;

static u64 init_once(struct cpu *cpu)
{
	const struct mon_boot_info *info = frame_ptr(boot_info_pa >> PAGE_SHIFT);
	static struct npt_config cfg;
	u32 err;

	if (info->abi != MON_ABI_VERSION || info->nr_cpus > MON_MAX_CPUS ||
	    info->nr_power_ports > MON_MAX_POWER_PORTS || info->nr_chunks > MON_MAX_CHUNKS ||
	    info->nr_ram > MON_MAX_RAM_RANGES)
		return MON_LAUNCH_BAD_BOOT_INFO;
	err = vmx_caps_read(&vmx_caps, &cpu->gate->detail);
	if (err)
		return err;
	monitor.nr_cpus = info->nr_cpus;
	monitor.root_pa = info->root_pa;
	memcpy(monitor.image_hash, info->image_hash, sizeof(monitor.image_hash));
	frame_table_init((struct frame *)MON_VA_FRAME_TABLE, info->frame_table_frames,
			 (const struct ram_range *)info->ram, info->nr_ram, info->nr_cpus);
	spin_lock(&npt_lock);
	err = claim_chunks(info);
	spin_unlock(&npt_lock);
	cpu->gate->detail = err;
	if (err)
		return MON_LAUNCH_BAD_BOOT_INFO;
	mtrr_read(&cfg.mtrr);
	cfg.max_pa = BIT(vmx_caps.max_pa_bits);
	cfg.max_leaf = vmx_caps.ept_1g ? 3 : 2;
	err = host_npt_init(&cfg);
	cpu->gate->detail = err;
	if (err)
		return MON_LAUNCH_NO_MEMORY;
	if (vcpu_init() || ports_init(info))
		return MON_LAUNCH_NO_MEMORY;
	monitor_msr_bitmap_init();
	mitigate_init();
	nested_caps_init();
	thread_init();
	monitor.initialized = true;
	return MON_LAUNCH_OK;
}

/* ---- each CPU: look, touch nothing ---- */

static u64 check(struct cpu *cpu)
{
	const struct mon_native *n = &cpu->gate->native;
	struct vmx_caps caps = { 0 };
	u32 err = vmx_caps_read(&caps, &cpu->gate->detail);

	if (err)
		return err;
	cpu->gate->detail = cpu->index;
	if (memcmp(&caps, &vmx_caps, sizeof(caps)))
		return MON_LAUNCH_DIFFERENT_CPUS;
	cpu->gate->detail = n->cr0;
	if ((n->cr0 & ~CR0_KNOWN) || n->cs != SEL_CODE ||
	    ((n->cr0 | CR0_NE) & vmx_caps.cr0_fixed0) != vmx_caps.cr0_fixed0)
		return MON_LAUNCH_CR0;
	cpu->gate->detail = n->cr4;
	if (n->cr4 & CR4_VMXE)
		return MON_LAUNCH_IN_USE;
	if ((n->cr4 & ~CR4_KNOWN) || (n->cr4 & ~vmx_caps.cr4_fixed1) || (n->cr4 & CR4_SMXE))
		return MON_LAUNCH_CR4;
	return MON_LAUNCH_OK;
}

/* ---- vmcs01 ---- */

static u64 read_dr7(void)
{
	u64 v;

	asm volatile("movq %%dr7, %0" : "=r"(v));
	return v;
}

/*
 * A segment as the CPU would load it from the host's GDT. The GDT is at a
 * linear address of the host: only its copy that the module took is read.
 */
static void segment_from_gdt(const struct mon_native *n, const u8 *gdt, u16 sel, u32 *limit,
			     u32 *ar, u64 *base)
{
	u64 desc;

	*limit = 0;
	*base = 0;
	*ar = SEG_AR_UNUSABLE;
	if (sel < 4 || (sel & 4) || (sel | 7u) > n->gdt.limit ||
	    (sel | 7u) + 8 >= sizeof(((struct mon_gate *)0)->gdt_copy))
		return;
	memcpy(&desc, gdt + (sel & ~7), sizeof(desc));
	*ar = (desc >> 40) & 0xf0ff;
	*limit = (desc & 0xffff) | ((desc >> 32) & 0xf0000);
	if (*ar & BIT(15))
		*limit = *limit << 12 | 0xfff;
	*base = ((desc >> 16) & 0xffffff) | ((desc >> 32) & 0xff000000);
	if (!(*ar & BIT(4)) && (sel | 7u) + 8 <= n->gdt.limit) {
		u64 high;

		memcpy(&high, gdt + (sel & ~7) + 8, sizeof(high));
		*base |= high << 32;
	}
	if (!(*ar & BIT(7)))
		*ar = SEG_AR_UNUSABLE;
}

#define GUEST_SEGMENT(NAME, sel)                                    \
	do {                                                        \
		segment_from_gdt(n, gdt, sel, &limit, &ar, &base);  \
		vmwrite(GUEST_##NAME##_SELECTOR, sel);              \
		vmwrite(GUEST_##NAME##_LIMIT, limit);               \
		vmwrite(GUEST_##NAME##_AR_BYTES, ar);               \
		vmwrite(GUEST_##NAME##_BASE, base);                 \
	} while (0)

static void guest_segments(const struct mon_native *n, const u8 *gdt)
{
	u64 base;
	u32 limit, ar;

	GUEST_SEGMENT(ES, n->es);
	GUEST_SEGMENT(CS, n->cs);
	GUEST_SEGMENT(SS, n->ss);
	GUEST_SEGMENT(DS, n->ds);
	GUEST_SEGMENT(FS, n->fs);
	GUEST_SEGMENT(GS, n->gs);
	GUEST_SEGMENT(LDTR, n->ldt);
	GUEST_SEGMENT(TR, n->tr);
	vmwrite(GUEST_TR_AR_BYTES, (ar & ~0xfu) | 11); /* a loaded TSS is busy */
	/* The hidden part of CS keeps what it was loaded with: accessed, 64-bit. */
	vmwrite(GUEST_CS_AR_BYTES, 0xa09b);
	vmwrite(GUEST_CS_LIMIT, 0xffffffff);
	if (n->ss & ~3)
		vmwrite(GUEST_SS_AR_BYTES, 0xc093);
	vmwrite(GUEST_FS_BASE, n->fs_base);
	vmwrite(GUEST_GS_BASE, n->gs_base);
	vmwrite(GUEST_GDTR_BASE, n->gdt.base);
	vmwrite(GUEST_GDTR_LIMIT, n->gdt.limit);
	vmwrite(GUEST_IDTR_BASE, n->idt.base);
	vmwrite(GUEST_IDTR_LIMIT, n->idt.limit);
}

static void guest_state(const struct mon_native *n, const u8 *gdt)
{
	guest_segments(n, gdt);
	vmwrite(GUEST_CR0, n->cr0 | CR0_NE);
	vmwrite(CR0_GUEST_HOST_MASK, CR0_NE);
	vmwrite(CR0_READ_SHADOW, n->cr0);
	vmwrite(GUEST_CR3, n->cr3);
	vmwrite(CR4_GUEST_HOST_MASK, CR4_HOST_OWNED);
	host_set_cr4(n->cr4);
	vmwrite(GUEST_DR7, read_dr7());
	vmwrite(GUEST_RSP, n->gpr[RSP]);
	vmwrite(GUEST_RIP, n->rip);
	vmwrite(GUEST_RFLAGS, n->rflags);
	vmwrite(GUEST_INTERRUPTIBILITY_INFO, 0);
	vmwrite(GUEST_ACTIVITY_STATE, ACTIVITY_ACTIVE);
	vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, 0);
	vmwrite(VMCS_LINK_POINTER, ~0ULL);
	vmwrite(GUEST_IA32_DEBUGCTL, rdmsr(MSR_DEBUGCTL));
	vmwrite(GUEST_IA32_PAT, rdmsr(MSR_PAT));
	vmwrite(GUEST_IA32_EFER, rdmsr(MSR_EFER));
	vmwrite(GUEST_SYSENTER_CS, rdmsr(MSR_SYSENTER_CS));
	vmwrite(GUEST_SYSENTER_ESP, rdmsr(MSR_SYSENTER_ESP));
	vmwrite(GUEST_SYSENTER_EIP, rdmsr(MSR_SYSENTER_EIP));
	if (vmx_caps.perf_global)
		vmwrite(GUEST_IA32_PERF_GLOBAL_CTRL, rdmsr(MSR_PERF_GLOBAL_CTRL));
}

void vmcs_write_host_state(const struct cpu *cpu)
{
	u64 cr0, cr4;

	asm volatile("movq %%cr0, %0" : "=r"(cr0));
	asm volatile("movq %%cr4, %0" : "=r"(cr4));
	vmwrite(HOST_CR0, cr0);
	vmwrite(HOST_CR3, monitor.root_pa);
	vmwrite(HOST_CR4, cr4);
	vmwrite(HOST_CS_SELECTOR, SEL_CODE);
	vmwrite(HOST_SS_SELECTOR, SEL_DATA);
	vmwrite(HOST_DS_SELECTOR, SEL_DATA);
	vmwrite(HOST_ES_SELECTOR, SEL_DATA);
	vmwrite(HOST_FS_SELECTOR, 0);
	vmwrite(HOST_GS_SELECTOR, 0);
	vmwrite(HOST_TR_SELECTOR, SEL_TSS);
	vmwrite(HOST_FS_BASE, 0);
	vmwrite(HOST_GS_BASE, (u64)cpu);
	vmwrite(HOST_TR_BASE, (u64)cpu->tss);
	vmwrite(HOST_GDTR_BASE, (u64)cpu->gdt);
	vmwrite(HOST_IDTR_BASE, (u64)cpu->idt);
	vmwrite(HOST_IA32_SYSENTER_CS, 0);
	vmwrite(HOST_IA32_SYSENTER_ESP, 0);
	vmwrite(HOST_IA32_SYSENTER_EIP, 0);
	vmwrite(HOST_IA32_PAT, PAT_HOST);
	vmwrite(HOST_IA32_EFER, EFER_HOST);
	if (vmx_caps.perf_global)
		vmwrite(HOST_IA32_PERF_GLOBAL_CTRL, 0);
	vmwrite(HOST_RSP, stack_top(cpu));
	vmwrite(HOST_RIP, (u64)vmx_exit);
}

void vmcs_write_common_controls(void)
{
	u32 perf_exit = vmx_caps.perf_global ? EXIT_LOAD_PERF_GLOBAL_CTRL : 0;
	u32 perf_entry = vmx_caps.perf_global ? ENTRY_LOAD_PERF_GLOBAL_CTRL : 0;

	vmwrite(VM_EXIT_CONTROLS,
		control_fit(EXIT_HOST_ADDR_SPACE_SIZE | EXIT_SAVE_DEBUG_CONTROLS | EXIT_SAVE_EFER |
			    EXIT_LOAD_EFER | EXIT_SAVE_PAT | EXIT_LOAD_PAT | perf_exit,
			    vmx_caps.exit));
	vmwrite(VM_ENTRY_CONTROLS,
		control_fit(ENTRY_IA32E_MODE | ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_EFER |
			    ENTRY_LOAD_PAT | perf_entry, vmx_caps.entry));
	vmwrite(PAGE_FAULT_ERROR_CODE_MASK, 0);
	vmwrite(PAGE_FAULT_ERROR_CODE_MATCH, 0);
	vmwrite(CR3_TARGET_COUNT, 0);
	vmwrite(VM_EXIT_MSR_STORE_COUNT, 0);
	vmwrite(VM_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(VM_ENTRY_MSR_LOAD_COUNT, 0);
}

/* In steady state nothing of the host exits but CPUID, VMX, and what is in the bitmaps. */
static void controls(void)
{
	u32 cpu2 = CPU2_ENABLE_EPT | CPU2_ENABLE_VPID | CPU2_UNRESTRICTED_GUEST |
		   (u32)((vmx_caps.cpu2 >> 32) &
			 (CPU2_ENABLE_RDTSCP | CPU2_ENABLE_INVPCID | CPU2_ENABLE_XSAVES |
			  CPU2_USR_WAIT_PAUSE));
	u64 bitmap_a, bitmap_b;

	vmwrite(PIN_BASED_VM_EXEC_CONTROL, control_fit(0, vmx_caps.pin));
	vmwrite(CPU_BASED_VM_EXEC_CONTROL,
		control_fit(CPU_USE_IO_BITMAPS | CPU_USE_MSR_BITMAPS | CPU_SECONDARY_CONTROLS,
			    vmx_caps.cpu));
	vmwrite(SECONDARY_VM_EXEC_CONTROL, control_fit(cpu2, vmx_caps.cpu2));
	vmcs_write_common_controls();
	vmwrite(EXCEPTION_BITMAP, BIT(VECTOR_MC));
	vmwrite(VM_ENTRY_INTR_INFO, 0);
	vmwrite(VIRTUAL_PROCESSOR_ID, VPID_HOST);
	vmwrite(EPT_POINTER, host_npt.root << PAGE_SHIFT | 3 << 3 | MT_WB);
	vmwrite(MSR_BITMAP, monitor.msr_bitmap_pa);
	ports_bitmaps(&bitmap_a, &bitmap_b);
	vmwrite(IO_BITMAP_A, bitmap_a);
	vmwrite(IO_BITMAP_B, bitmap_b);
	if (cpu2 & CPU2_ENABLE_XSAVES)
		vmwrite(XSS_EXIT_BITMAP, 0);
}

/* ---- launch ---- */

/* What writes to memory by itself, and would go on when the memory is not the host's any more. */
static void stop_writers(void)
{
	u64 xss;

	wrmsr_safe(MSR_RTIT_CTL, 0);
	wrmsr_safe(MSR_PEBS_ENABLE, 0);
	wrmsr_safe(MSR_HW_FEEDBACK_CONFIG, 0);
	if (rdmsr_safe(MSR_XSS, &xss))
		wrmsr_safe(MSR_XSS, xss & ~XSS_PT);
}

static bool vmxon(struct cpu *cpu)
{
	u64 feat_ctl = rdmsr(MSR_FEAT_CTL), cr0, cr4;
	bool failed;

	if (!(feat_ctl & 1))
		wrmsr(MSR_FEAT_CTL, feat_ctl | 5);
	asm volatile("movq %%cr0, %0" : "=r"(cr0));
	asm volatile("movq %0, %%cr0" : : "r"(cr0 | CR0_NE));
	asm volatile("movq %%cr4, %0" : "=r"(cr4));
	asm volatile("movq %0, %%cr4" : : "r"(cr4 | CR4_VMXE | CR4_OSXSAVE | CR4_MCE));
	asm volatile("vmxon %1" : "=@ccbe"(failed) : "m"(cpu->vmxon_pa) : "memory");
	return !failed;
}

void vmxoff(void)
{
	u64 cr4;

	asm volatile("vmxoff" : : : "cc", "memory");
	asm volatile("movq %%cr4, %0" : "=r"(cr4));
	asm volatile("movq %0, %%cr4" : : "r"(cr4 & ~CR4_VMXE));
}

static int frames_for_cpu(struct cpu *cpu)
{
	struct vmcs vmxon_region = { 0 };

	if (vmcs_init(&vmxon_region) || vmcs_init(&cpu->vmcs01) || nested_cpu_init(cpu) ||
	    thread_cpu_init(cpu))
		return NPT_EPOOL;
	cpu->vmxon_pa = vmxon_region.pa;
	spin_lock(&npt_lock);
	cpu->step.junk_pfn = frame_get(FRAME_STATE);
	spin_unlock(&npt_lock);
	return cpu->step.junk_pfn == INVALID_PFN ? NPT_EPOOL : NPT_OK;
}

/* The module copies the GDT behind mon_native, since its address is the host's. */
static u64 launch(struct cpu *cpu)
{
	struct mon_gate *gate = cpu->gate;
	u64 err = check(cpu);

	if (err)
		return err;
	if (!cpu->vmxon_pa && frames_for_cpu(cpu))
		return MON_LAUNCH_NO_MEMORY;
	stop_writers();
	if (!vmxon(cpu)) {
		gate->detail = cpu->index;
		vmxoff();
		return MON_LAUNCH_VMXON_FAILED;
	}
	mcheck_launch(cpu);
	npt_flush_local();
	cpu->current = NULL;
	vmcs_clear(cpu, &cpu->vmcs01);
	vmcs_load(cpu, &cpu->vmcs01);
	controls();
	vmcs_write_host_state(cpu);
	guest_state(&gate->native, gate->gdt_copy);
	memcpy(cpu->gpr, gate->native.gpr, sizeof(cpu->gpr));
	cpu->gpr[RAX] = MON_LAUNCH_OK;
	epoch_pass(cpu->index);
	cpu->in_vmx = 1;
	if (gate->nmi)
		events_add(cpu, EVENT_NMI);
	enter_host(stack_top(cpu));
}

static void __attribute__((__noreturn__)) jump_gate_leave(struct mon_gate *gate)
{
	u64 code = gate->code + (u64)(gate_leave - gate_page);

	asm volatile("jmp *%0" : : "r"(code), "D"(gate));
	__builtin_unreachable();
}

/*
 * Back to native mode: at a hypercall (unload), or when the first entry
 * failed. The caller has seen to it that nothing protected is left.
 */
static void __attribute__((__noreturn__)) leave_native(struct cpu *cpu)
{
	struct mon_gate *gate = cpu->gate;

	vmcs_clear(cpu, &cpu->vmcs01);
	cpu->in_vmx = 0;
	vmxoff();
	mcheck_leave(cpu);
	gate->nmi += cpu->events & EVENT_NMI;
	cpu->events = 0;
	jump_gate_leave(gate);
}

void cpu_leave(struct cpu *cpu)
{
	struct mon_native *n = &cpu->gate->native;

	advance_rip();
	memcpy(n->gpr, cpu->gpr, sizeof(n->gpr));
	n->gpr[RAX] = 0;
	n->gpr[RSP] = vmread(GUEST_RSP);
	n->rip = vmread(GUEST_RIP);
	n->rflags = vmread(GUEST_RFLAGS);
	n->cr0 = (vmread(GUEST_CR0) & ~CR0_NE) | (vmread(CR0_READ_SHADOW) & CR0_NE);
	n->cr3 = vmread(GUEST_CR3);
	n->cr4 = host_cr4();
	n->gdt.base = vmread(GUEST_GDTR_BASE);
	n->gdt.limit = (u16)vmread(GUEST_GDTR_LIMIT);
	n->idt.base = vmread(GUEST_IDTR_BASE);
	n->idt.limit = (u16)vmread(GUEST_IDTR_LIMIT);
	n->es = (u16)vmread(GUEST_ES_SELECTOR);
	n->cs = (u16)vmread(GUEST_CS_SELECTOR);
	n->ss = (u16)vmread(GUEST_SS_SELECTOR);
	n->ds = (u16)vmread(GUEST_DS_SELECTOR);
	n->fs = (u16)vmread(GUEST_FS_SELECTOR);
	n->gs = (u16)vmread(GUEST_GS_SELECTOR);
	n->ldt = (u16)vmread(GUEST_LDTR_SELECTOR);
	n->tr = (u16)vmread(GUEST_TR_SELECTOR);
	n->fs_base = vmread(GUEST_FS_BASE);
	n->gs_base = vmread(GUEST_GS_BASE);
	wrmsr(MSR_PAT, vmread(GUEST_IA32_PAT));
	wrmsr(MSR_SYSENTER_CS, vmread(GUEST_SYSENTER_CS));
	wrmsr(MSR_SYSENTER_ESP, vmread(GUEST_SYSENTER_ESP));
	wrmsr(MSR_SYSENTER_EIP, vmread(GUEST_SYSENTER_EIP));
	wrmsr(MSR_DEBUGCTL, vmread(GUEST_IA32_DEBUGCTL));
	if (vmx_caps.perf_global)
		wrmsr(MSR_PERF_GLOBAL_CTRL, vmread(GUEST_IA32_PERF_GLOBAL_CTRL));
	asm volatile("movq %0, %%dr7" : : "r"(vmread(GUEST_DR7)));
	/* LMA cannot be written, and NXE must stay on until the tables are the host's. */
	wrmsr(MSR_EFER, vmread(GUEST_IA32_EFER) | BIT(11));
	leave_native(cpu);
}

void launch_failed(struct cpu *cpu, u64 detail)
{
	cpu->gate->detail = detail;
	cpu->gate->native.gpr[RAX] = MON_LAUNCH_ENTRY_FAILED;
	leave_native(cpu);
}

/*
 * C side of the gate, on the gate's stack. Exceptions find the monitor's
 * tables from here on; the gate puts its own back before it leaves.
 */
u64 gate_main(struct mon_gate *gate)
{
	struct cpu *cpu = cpu_of((u32)gate->cpu);
	u64 (*fn)(struct cpu *) = gate->op == MON_GATE_INIT  ? init_once :
				  gate->op == MON_GATE_CHECK ? check :
							       launch;

	cpu->self = cpu;
	cpu->index = (u32)gate->cpu;
	cpu->gate = gate;
	cpu->in_vmx = 0;
	cpu->events = 0;
	cpu->mcg_status = 0;
	if (gate->op == MON_GATE_INIT)
		boot_info_pa = gate->arg;
	tables_make(cpu);
	tables_load(cpu);
	return call_on_stack(fn, cpu, stack_top(cpu));
}
