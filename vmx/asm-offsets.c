// SPDX-License-Identifier: GPL-2.0-only
/* Offsets for the assembly, printed as "#define" lines by the Makefile. */
#include "cpu.h"

#define OFFSET(name, type, member) \
	asm volatile("\n.ascii \"@#define " #name " %c0@\"" : : "i"(offsetof(type, member)))

void asm_offsets(void);
void asm_offsets(void)
{
	OFFSET(CPU_GPR, struct cpu, gpr);
	OFFSET(CPU_LAUNCHED, struct cpu, launched);
	OFFSET(CPU_EVENTS, struct cpu, events);
	OFFSET(CPU_IN_VMX, struct cpu, in_vmx);
	OFFSET(CPU_INDEX, struct cpu, index);
	OFFSET(CPU_MCG_STATUS, struct cpu, mcg_status);
	OFFSET(CPU_GATE, struct cpu, gate);
	OFFSET(GATE_MONITOR_CR3, struct mon_gate, monitor_cr3);
	OFFSET(GATE_ENTRY, struct mon_gate, entry);
	OFFSET(GATE_NMI, struct mon_gate, nmi);
	OFFSET(GATE_GDT, struct mon_gate, gdt);
	OFFSET(GATE_IDT, struct mon_gate, idt);
	OFFSET(NATIVE_GPR, struct mon_gate, native.gpr);
	OFFSET(NATIVE_RIP, struct mon_gate, native.rip);
	OFFSET(NATIVE_RFLAGS, struct mon_gate, native.rflags);
	OFFSET(NATIVE_CR0, struct mon_gate, native.cr0);
	OFFSET(NATIVE_CR3, struct mon_gate, native.cr3);
	OFFSET(NATIVE_CR4, struct mon_gate, native.cr4);
	OFFSET(NATIVE_FS_BASE, struct mon_gate, native.fs_base);
	OFFSET(NATIVE_GS_BASE, struct mon_gate, native.gs_base);
	OFFSET(NATIVE_GDT, struct mon_gate, native.gdt.limit);
	OFFSET(NATIVE_GDT_BASE, struct mon_gate, native.gdt.base);
	OFFSET(NATIVE_IDT, struct mon_gate, native.idt.limit);
	OFFSET(NATIVE_ES, struct mon_gate, native.es);
	OFFSET(NATIVE_CS, struct mon_gate, native.cs);
	OFFSET(NATIVE_SS, struct mon_gate, native.ss);
	OFFSET(NATIVE_DS, struct mon_gate, native.ds);
	OFFSET(NATIVE_FS, struct mon_gate, native.fs);
	OFFSET(NATIVE_GS, struct mon_gate, native.gs);
	OFFSET(NATIVE_LDT, struct mon_gate, native.ldt);
	OFFSET(NATIVE_TR, struct mon_gate, native.tr);
}
