// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the encoding of a VMCS field to its place in struct vmcs12.
 */
#include "vmcs12.h"

/* Bits 14:13 width and 11:10 type choose a row, 9:1 index the column. */
#define ROW(e) (VMCS_FIELD_WIDTH(e) << 2 | VMCS_FIELD_TYPE(e))
#define ENCODING_BITS 0x6fffULL /* bit 12 and those above 14 are reserved (SDM 25.11.2) */

static const u16 offsets[16][VMCS12_INDEX_SLOTS] = {
#define VMCS_FIELD(type, name, encoding, member) \
	[ROW(encoding)][VMCS_FIELD_INDEX(encoding)] = offsetof(struct vmcs12, member),
#include "vmcs_fields.h"
};

/* Every member is as wide as its encoding says, and no index is out of range. */
#define WIDTH_BYTES(e)                                    \
	(VMCS_FIELD_WIDTH(e) == VMCS_WIDTH_16   ? 2 :     \
	 VMCS_FIELD_WIDTH(e) == VMCS_WIDTH_32   ? 4 :     \
						  8)
#define VMCS_FIELD(type, name, encoding, member)                                   \
	_Static_assert(sizeof(type) == WIDTH_BYTES(encoding), #name ": width");     \
	_Static_assert(VMCS_FIELD_INDEX(encoding) <= VMCS12_MAX_INDEX, #name ": index");
#include "vmcs_fields.h"

u32 vmcs12_offset(u64 encoding)
{
	if (encoding & ~ENCODING_BITS || VMCS_FIELD_INDEX(encoding) > VMCS12_MAX_INDEX)
		return 0;
	/* Only 64-bit fields have a high half. */
	if ((encoding & 1) && VMCS_FIELD_WIDTH(encoding) != VMCS_WIDTH_64)
		return 0;
	return offsets[ROW(encoding)][VMCS_FIELD_INDEX(encoding)];
}

u64 vmcs12_get(const struct vmcs12 *vmcs12, u32 encoding, u32 offset)
{
	const char *at = (const char *)vmcs12 + offset;

	switch (VMCS_FIELD_WIDTH(encoding)) {
	case VMCS_WIDTH_16:
		return *(const u16 *)at;
	case VMCS_WIDTH_32:
		return *(const u32 *)at;
	default:
		return encoding & 1 ? *(const u64 *)at >> 32 : *(const u64 *)at;
	}
}

void vmcs12_set(struct vmcs12 *vmcs12, u32 encoding, u32 offset, u64 value)
{
	char *at = (char *)vmcs12 + offset;
	u64 *wide = (u64 *)at;

	switch (VMCS_FIELD_WIDTH(encoding)) {
	case VMCS_WIDTH_16:
		*(u16 *)at = value;
		break;
	case VMCS_WIDTH_32:
		*(u32 *)at = value;
		break;
	default:
		*wide = encoding & 1 ? (*wide & GENMASK(31, 0)) | value << 32 : value;
	}
}
