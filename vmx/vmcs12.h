/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmcs12: the VMCS region as the host's VMX has it. Its layout is the
 * monitor's own (SDM 25.2: the format of the data is implementation specific),
 * made from the field table; the host reaches it by VMREAD and VMWRITE only,
 * but can scribble over the region in its memory, so what is loaded from there
 * is worth no more than what is written by VMWRITE.
 */
#ifndef _VMX_VMCS12_H
#define _VMX_VMCS12_H

#include "vmcs.h"

enum { VMCS12_CLEAR = 0, VMCS12_LAUNCHED = 1 };

/**
 * struct vmcs12 - contents of a VMCS region of the host
 * @revision: the CPU's own (see nested_caps.c)
 * @abort: VMX-abort indicator (SDM 28.7)
 * @launch_state: VMCS12_CLEAR or VMCS12_LAUNCHED
 */
struct vmcs12 {
	u32 revision;
	u32 abort;
	u32 launch_state;
	u32 reserved;
#define VMCS_FIELD(type, name, encoding, member) type member;
#include "vmcs_fields.h"
};

_Static_assert(sizeof(struct vmcs12) <= PAGE_SIZE, "vmcs12 fits its region");

/* Largest index of a field (SDM A.9), of TSC_MULTIPLIER. */
#define VMCS12_MAX_INDEX 25
#define VMCS12_INDEX_SLOTS 32

/** vmcs12_offset() - where a field is in struct vmcs12; 0: no such field */
u32 vmcs12_offset(u64 encoding);

/** vmcs12_get() - the value of an existing field; @offset is its vmcs12_offset() */
u64 vmcs12_get(const struct vmcs12 *vmcs12, u32 encoding, u32 offset);

/** vmcs12_set() - set an existing field; bits beyond its width are dropped */
void vmcs12_set(struct vmcs12 *vmcs12, u32 encoding, u32 offset, u64 value);

#endif /* _VMX_VMCS12_H */
