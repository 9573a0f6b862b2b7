// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions of the enclave, and what a compiler calls when all is lost. */
#include <stdlib.h>
#include "runtime.h"

typedef int handler_fn(struct mon_enclave_fault *fault);

static handler_fn *handler;

void mon_on_exception(int (*fn)(struct mon_enclave_fault *fault))
{
	__atomic_store_n(&handler, fn, __ATOMIC_RELEASE);
}

/* By mon_handler. Once it has told the process what it was, another exception ends the thread. */
void mon_exception(struct mon_enclave_fault *fault)
{
	handler_fn *fn = __atomic_load_n(&handler, __ATOMIC_ACQUIRE);

	if (fn && !fn(fault))
		return;
	mon_call_process(MON_OCALL_DIED, (fault->address & -MON_PAGE) | (fault->vector & 0xff));
	abort();
}

void abort(void)
{
	__builtin_trap();
}

void __attribute__((__noreturn__)) __stack_chk_fail(void)
{
	abort();
}

void __attribute__((__noreturn__)) __stack_chk_fail_local(void)
{
	abort();
}
