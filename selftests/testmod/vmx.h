/* SPDX-License-Identifier: GPL-2.0-only */
/* VMX as a host kernel uses it, right or wrong. Encodings: SDM appendix B. */
#ifndef _TESTMOD_VMX_H
#define _TESTMOD_VMX_H

#include <linux/types.h>

/*
 * One block of frames, all in the same 2 MiB: what a VMCS can point to. The
 * guest's EPT maps the first three of them that are the guest's, and nothing else.
 */
enum vmx_page {
	PAGE_VMXON,
	PAGE_VMCS,
	PAGE_CODE, /* the guest's: HLTs */
	PAGE_PML4,
	PAGE_PDPT,
	PAGE_PD,
	PAGE_EPT, /* and the levels below it in the next three */
	PAGE_IO_A = 10,
	PAGE_IO_B,
	PAGE_MSR_BITMAP,
	PAGE_VAPIC,
	PAGE_VMREAD_BITMAP,
	PAGE_VMWRITE_BITMAP,
	PAGE_LINK, /* a second VMCS */
	PAGE_APIC_ACCESS,
	PAGE_POSTED,
	PAGE_PML,
	PAGE_STORE, /* two pages each: MSR lists */
	PAGE_LOAD = 22,
	PAGE_ENTRY = 24,
	PAGE_EPTP_LIST = 26,
	PAGE_VE_INFO,
	PAGE_SPARE,
	PAGE_ORDER = 5,
};

u8 *vmx_page(unsigned int nr);
u64 vmx_page_pa(unsigned int nr);

/* number, or pN+OFFSET: the address of a page of the block */
int vmx_number(const char *word, u64 *value);

/* Outcome of a VMX instruction (SDM 31.2); above: vector of an exception, and 100 */
enum { VMX_OK, VMX_INVALID, VMX_FAIL, VMX_FAULT = 100 };

/*
 * VMX_INSN() - an instruction under an exception table, and its outcome
 * @...: outputs (one at least), a colon, inputs
 */
#define VMX_INSN(outcome, insn, ...)                                              \
	do {                                                                      \
		unsigned int _caught;                                             \
		u64 _ax = 0;                                                      \
		bool _cf, _zf;                                                    \
		asm volatile("movl $1, %[caught]\n"                               \
			     "1:	" insn "\n"                                          \
			     "setc %[cf]\n"                                       \
			     "setz %[zf]\n"                                       \
			     "xorl %[caught], %[caught]\n"                        \
			     "2:\n" _ASM_EXTABLE_FAULT(1b, 2b)                    \
			     : [caught] "=&r"(_caught), "+a"(_ax), [cf] "=&q"(_cf), \
			       [zf] "=&q"(_zf), __VA_ARGS__                       \
			     : "memory", "cc");                                   \
		(outcome) = _caught ? VMX_FAULT + (int)_ax :                      \
			    _cf	    ? VMX_INVALID :                               \
			    _zf	    ? VMX_FAIL :                                  \
				      VMX_OK;                                     \
	} while (0)

int vmx_read(u64 field, u64 *value);
int vmx_write(u64 field, u64 value);
int vmx_pointer(const char *what, u64 pa);

/* Where the CPU goes on after an exit. */
extern const char vmx_host_rip[];

/* "ok", "invalid", "fail N" or "fault N"; @error: of VM_INSTRUCTION_ERROR */
const char *vmx_outcome(char *buf, size_t size, int outcome, u64 error);

/* vmx_entry.c: entries of one guest; @before may change what is loaded, @after has the reason */
int vmx_entry_loop(u64 cpu, unsigned int page, u64 count, void (*code)(void),
		   void (*before)(u64 round, void *arg),
		   void (*after)(u64 round, u64 reason, void *arg), void *arg);
void vmx_entry_loop_here(void *arg, const bool *over, void (*before)(u64 round, void *arg),
			 void (*after)(u64 round, u64 reason, void *arg));

enum vmx_field {
	F_VPID = 0x0000,
	F_GUEST_ES = 0x0800,
	F_GUEST_CS = 0x0802,
	F_GUEST_SS = 0x0804,
	F_GUEST_LDTR = 0x080c,
	F_GUEST_TR = 0x080e,
	F_GUEST_INTR_STATUS = 0x0810,
	F_GUEST_PML_INDEX = 0x0812,
	F_HOST_ES = 0x0c00,
	F_HOST_CS = 0x0c02,
	F_HOST_SS = 0x0c04,
	F_HOST_TR = 0x0c0c,
	F_IO_BITMAP_A = 0x2000,
	F_IO_BITMAP_B = 0x2002,
	F_MSR_BITMAP = 0x2004,
	F_EXIT_STORE_ADDR = 0x2006,
	F_EXIT_LOAD_ADDR = 0x2008,
	F_ENTRY_LOAD_ADDR = 0x200a,
	F_PML_ADDRESS = 0x200e,
	F_TSC_OFFSET = 0x2010,
	F_VIRTUAL_APIC = 0x2012,
	F_APIC_ACCESS = 0x2014,
	F_POSTED_DESC = 0x2016,
	F_EPT_POINTER = 0x201a,
	F_EPTP_LIST = 0x2024,
	F_VMREAD_BITMAP = 0x2026,
	F_VMWRITE_BITMAP = 0x2028,
	F_VE_INFO = 0x202a,
	F_XSS_BITMAP = 0x202c,
	F_TSC_MULTIPLIER = 0x2032,
	F_GUEST_PHYSICAL = 0x2400,
	F_LINK_POINTER = 0x2800,
	F_GUEST_DEBUGCTL = 0x2802,
	F_GUEST_PAT = 0x2804,
	F_GUEST_EFER = 0x2806,
	F_GUEST_PERF_GLOBAL = 0x2808,
	F_GUEST_PDPTR0 = 0x280a,
	F_HOST_PAT = 0x2c00,
	F_HOST_EFER = 0x2c02,
	F_HOST_PERF_GLOBAL = 0x2c04,
	F_PIN = 0x4000,
	F_CPU = 0x4002,
	F_EXCEPTION_BITMAP = 0x4004,
	F_PF_MASK = 0x4006,
	F_PF_MATCH = 0x4008,
	F_CR3_TARGETS = 0x400a,
	F_EXIT = 0x400c,
	F_EXIT_STORE_COUNT = 0x400e,
	F_EXIT_LOAD_COUNT = 0x4010,
	F_ENTRY = 0x4012,
	F_ENTRY_LOAD_COUNT = 0x4014,
	F_ENTRY_INTR_INFO = 0x4016,
	F_ENTRY_ERROR_CODE = 0x4018,
	F_ENTRY_INSN_LEN = 0x401a,
	F_TPR_THRESHOLD = 0x401c,
	F_CPU2 = 0x401e,
	F_PLE_GAP = 0x4020,
	F_PLE_WINDOW = 0x4022,
	F_INSN_ERROR = 0x4400,
	F_EXIT_REASON = 0x4402,
	F_EXIT_INTR_INFO = 0x4404,
	F_EXIT_INTR_ERROR = 0x4406,
	F_IDT_INFO = 0x4408,
	F_IDT_ERROR = 0x440a,
	F_EXIT_INSN_LEN = 0x440c,
	F_GUEST_ES_LIMIT = 0x4800,
	F_GUEST_CS_LIMIT = 0x4802,
	F_GUEST_LDTR_LIMIT = 0x480c,
	F_GUEST_TR_LIMIT = 0x480e,
	F_GUEST_GDTR_LIMIT = 0x4810,
	F_GUEST_IDTR_LIMIT = 0x4812,
	F_GUEST_ES_AR = 0x4814,
	F_GUEST_CS_AR = 0x4816,
	F_GUEST_LDTR_AR = 0x4820,
	F_GUEST_TR_AR = 0x4822,
	F_INTERRUPTIBILITY = 0x4824,
	F_ACTIVITY = 0x4826,
	F_SMBASE = 0x4828,
	F_GUEST_SYSENTER_CS = 0x482a,
	F_TIMER = 0x482e,
	F_HOST_SYSENTER_CS = 0x4c00,
	F_CR0_MASK = 0x6000,
	F_CR4_MASK = 0x6002,
	F_CR0_SHADOW = 0x6004,
	F_CR4_SHADOW = 0x6006,
	F_CR3_TARGET0 = 0x6008,
	F_QUALIFICATION = 0x6400,
	F_GUEST_LINEAR = 0x640a,
	F_GUEST_CR0 = 0x6800,
	F_GUEST_CR3 = 0x6802,
	F_GUEST_CR4 = 0x6804,
	F_GUEST_ES_BASE = 0x6806,
	F_GUEST_CS_BASE = 0x6808,
	F_GUEST_LDTR_BASE = 0x6812,
	F_GUEST_TR_BASE = 0x6814,
	F_GUEST_GDTR_BASE = 0x6816,
	F_GUEST_IDTR_BASE = 0x6818,
	F_GUEST_DR7 = 0x681a,
	F_GUEST_RSP = 0x681c,
	F_GUEST_RIP = 0x681e,
	F_GUEST_RFLAGS = 0x6820,
	F_PENDING_DEBUG = 0x6822,
	F_GUEST_SYSENTER_ESP = 0x6824,
	F_GUEST_SYSENTER_EIP = 0x6826,
	F_HOST_CR0 = 0x6c00,
	F_HOST_CR3 = 0x6c02,
	F_HOST_CR4 = 0x6c04,
	F_HOST_FS_BASE = 0x6c06,
	F_HOST_GS_BASE = 0x6c08,
	F_HOST_TR_BASE = 0x6c0a,
	F_HOST_GDTR_BASE = 0x6c0c,
	F_HOST_IDTR_BASE = 0x6c0e,
	F_HOST_SYSENTER_ESP = 0x6c10,
	F_HOST_SYSENTER_EIP = 0x6c12,
	F_HOST_RSP = 0x6c14,
	F_HOST_RIP = 0x6c16,
};

#endif /* _TESTMOD_VMX_H */
