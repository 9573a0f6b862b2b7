// SPDX-License-Identifier: GPL-2.0-only
/*
 * INVEPT and INVVPID of the host, and the VPIDs of its guests (SDM 29.4).
 *
 * The host itself runs with VPID 1, so a guest with VPID n of vmcs12 gets
 * n + 1. There is one too few: the last two share one, and drop its
 * translations at each entry. Protection does not depend on VPIDs: every VMCS
 * has EPT on, so all translations are also tagged with the root of the EPT.
 */
#include "cpu.h"
#include "../npt/npt.h"

#define INFO_REG2(i) (((i) >> 28) & 15)
#define VPID_HOST 1
#define VPID_LAST 0xffffu

enum { INVEPT_SINGLE = 1, INVEPT_ALL = 2 };
enum { INVVPID_ADDRESS, INVVPID_SINGLE, INVVPID_ALL, INVVPID_RETAIN_GLOBAL };
#define CAP_INVVPID_TYPE(type) BIT(40 + (type))

static u16 vpid_map(u32 vpid12)
{
	return (u16)min_u64(vpid12 + 1, VPID_LAST);
}

/* With what the CPU has; the type for all contexts is one that launch asks for. */
static void invvpid(u64 type, u16 vpid, u64 la)
{
	struct {
		u64 vpid, la;
	} desc = { vpid, la };
	bool failed;

	if (!(vmx_caps.ept_vpid & CAP_INVVPID_TYPE(type)))
		type = vmx_caps.ept_vpid & CAP_INVVPID_TYPE(INVVPID_SINGLE) ? INVVPID_SINGLE :
									     INVVPID_ALL;
	asm volatile("invvpid %1, %2" : "=@ccbe"(failed) : "m"(desc), "r"(type) : "memory");
	MONITOR_BUG_ON(failed);
}

u16 vpid02(const struct vmcs12 *v)
{
	u16 vpid;

	/* Without VPIDs an entry starts with no translations (SDM 29.4.3.1). */
	if (!(vmcs12_cpu2(v) & CPU2_ENABLE_VPID)) {
		invvpid(INVVPID_SINGLE, VPID_LAST, 0);
		return VPID_LAST;
	}
	vpid = vpid_map(v->virtual_processor_id);
	if (vpid == VPID_LAST)
		invvpid(INVVPID_SINGLE, vpid, 0);
	return vpid;
}

void vpid_flush_at_exit(const struct vmcs12 *v)
{
	if (!(vmcs12_cpu2(v) & CPU2_ENABLE_VPID))
		invvpid(INVVPID_SINGLE, VPID_HOST, 0);
}

/*
 * A dropped EPT02 comes back with another root, so translations made from the
 * old one are not found any more, and the frames of its tables are not used
 * again before this CPU has flushed (an epoch). Nothing is left to flush here.
 */
void nested_invept(struct cpu *cpu)
{
	u64 type = operand_reg(cpu, INFO_REG2(vmread(VM_EXIT_INSTRUCTION_INFO)));
	struct {
		u64 eptp, reserved;
	} desc;

	if (type != INVEPT_SINGLE && type != INVEPT_ALL) {
		vmx_fail(cpu, VMXERR_INVALID_OPERAND);
		return;
	}
	if (!operand_read(cpu, &desc, sizeof(desc)))
		return;
	if (type == INVEPT_SINGLE && !ept02_eptp_valid(desc.eptp)) {
		vmx_fail(cpu, VMXERR_INVALID_OPERAND);
		return;
	}
	ept02_invalidate(type == INVEPT_SINGLE ? desc.eptp : 0);
	vmx_succeed();
}

void nested_invvpid(struct cpu *cpu)
{
	u64 type = operand_reg(cpu, INFO_REG2(vmread(VM_EXIT_INSTRUCTION_INFO)));
	struct {
		u64 vpid, la;
	} desc;

	if (type > INVVPID_RETAIN_GLOBAL) {
		vmx_fail(cpu, VMXERR_INVALID_OPERAND);
		return;
	}
	if (!operand_read(cpu, &desc, sizeof(desc)))
		return;
	/* SDM 31.3, INVVPID: bits 63:16 are reserved whatever the type. */
	if (desc.vpid > VPID_LAST || (type != INVVPID_ALL && !desc.vpid) ||
	    (type == INVVPID_ADDRESS && !canonical(desc.la, vmread(GUEST_CR4)))) {
		vmx_fail(cpu, VMXERR_INVALID_OPERAND);
		return;
	}
	invvpid(type, vpid_map((u32)desc.vpid), desc.la);
	vmx_succeed();
}
