/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate for the module's text: the same bytes, with marks for objtool, which
 * would have calls, returns and tables as the kernel's own code has them.
 */
#include <linux/objtool.h>
#if __has_include(<linux/annotate.h>)
#include <linux/annotate.h>
#endif
#include <asm/nospec-branch.h>

#define GATE_CALL_NEAR ANNOTATE_INTRA_FUNCTION_CALL
#define GATE_CALL_FAR ANNOTATE_RETPOLINE_SAFE
#define GATE_RETURN ANNOTATE_UNRET_SAFE
#define GATE_HANDLER ANNOTATE_NOENDBR

#include "vmx/gate.S"

	/* It has no stack of its own to unwind. */
	.type	gate_page, @function
	.size	gate_page, gate_page_end - gate_page
STACK_FRAME_NON_STANDARD gate_page
