// SPDX-License-Identifier: GPL-2.0-only
/*
 * Enclaves' code, and one that has to keep what it has: its page of words is the same after each
 * batch. Hosts may say of it what they like, but may not destroy it, nor take its pages out.
 */
#include <string.h>
#include "../../../uapi/enclave.h"
#include "fuzzer.h"

#define MADE_AT (arena_pa + SCRATCH_PAGE * PAGE)
#define CODE 0x10000UL
#define WORDS 0x11000UL
#define BUFFER 0x30000UL
#define BUFFER_PAGE (ENCLAVE_PAGE + 1)
#define TRIES 1000

/*
 * An enclave of an input makes the call that its second argument says: bits 0 to 6 the number, 8 to
 * 31 and 32 to 63 the second and third argument of the call, whose first is as it was given; bit 7:
 * what its buffer begins with is put there before; and returns the answer. The keeper puts the sum
 * of its words into its buffer.
 */
extern const uint8_t caller_code[], caller_end[], keeper_code[], keeper_end[];

asm(".pushsection .rodata\n"
	"caller_code:\n"
	"	mov %rsi, %rdx\n"
	"	movzbl %sil, %eax\n"
	"	shr $32, %rdx\n"
	"	shr $8, %esi\n"
	"	btr $7, %eax\n"
	"	jnc 1f\n"
	"	mov %rdi, %r8\n"
	"	mov %esi, %r9d\n"
	"	mov $0xa0000, %esi\n"
	"	mov $16, %ecx\n"
	"	rep movsq\n"
	"	mov %r8, %rdi\n"
	"	mov %r9d, %esi\n"
	"1:\n"
	"	movabs $0x4d4f4e0000000000, %rcx\n"
	"	or %rcx, %rax\n"
	"	vmcall\n"
	"	mov %rax, %rdi\n"
	"	movabs $0x4d4f4e0000000000, %rax\n"
	"	vmcall\n"
	"caller_end:\n"
	"keeper_code:\n"
	"	mov $0x11000, %esi\n"
	"	mov $512, %ecx\n"
	"	xor %edi, %edi\n"
	"1:	lodsq\n"
	"	rol $1, %rdi\n"
	"	add %rax, %rdi\n"
	"	loop 1b\n"
	"	mov %rdi, 0x30000\n"
	"	movabs $0x4d4f4e0000000000, %rax\n"
	"	vmcall\n"
	"keeper_end:\n"
	".popsection");

static uint64_t sum;

static void words_make(uint64_t *word)
{
	unsigned int i;

	for (i = 0; i < PAGE / 8; i++) {
		word[i] = (i + 1) * 0x9e3779b97f4a7c15UL;
		sum = (sum << 1 | sum >> 63) + word[i];
	}
}

static void must(int64_t result)
{
	if (result)
		die("the keeper");
}

static void keeper_make(uint8_t *page)
{
	*(struct mon_enclave_make *)page = (struct mon_enclave_make){
		.limit = 6,
		.policy = {
			.version = MON_ENCLAVE_POLICY_VERSION, .nr_ranges = 3, .nr_threads = 1,
			.range = {
				{ CODE, WORDS + PAGE, MON_ENCLAVE_PAGES, 0 },
				{ 0x20000, 0x24000, MON_ENCLAVE_ZERO, 0 },
				{ BUFFER, BUFFER + PAGE, MON_ENCLAVE_BUFFER, 0 },
			},
			.entry = CODE, .stacks = 0x20000, .stack_size = 0x4000,
		},
	};
	keeper = (uint64_t)hypercall(0, MON_HC_ENCLAVE_CREATE, MADE_AT, 0, 0, 0);
	memcpy(page, keeper_code, keeper_end - keeper_code);
	must(hypercall(0, MON_HC_ENCLAVE_ADD, keeper, CODE, MON_ENCLAVE_READ | MON_ENCLAVE_EXEC,
		       MADE_AT));
	words_make((uint64_t *)page);
	must(hypercall(0, MON_HC_ENCLAVE_ADD, keeper, WORDS, MON_ENCLAVE_READ, MADE_AT));
	must(hypercall(0, MON_HC_ENCLAVE_BUFFER, keeper, 0, arena_pa / PAGE + BUFFER_PAGE, 0));
	must(hypercall(0, MON_HC_ENCLAVE_FINISH, keeper, 0, 0, 0));
	memset(page, 0, PAGE);
}

void enclave_init(void)
{
	uint8_t *page = arena + SCRATCH_PAGE * PAGE;

	memcpy(arena + ENCLAVE_PAGE * PAGE, caller_code, caller_end - caller_code);
	keeper_make(page);
	if (!enclave_whole())
		die("the keeper's words");
}

/* An input may have left it amid its work, or paused. */
bool enclave_whole(void)
{
	volatile uint64_t *found = (uint64_t *)(arena + BUFFER_PAGE * PAGE);
	unsigned int tries, op = MON_ENCLAVE_CALL;
	int64_t why = -1;

	*found = 0;
	hypercall(0, MON_HC_ENCLAVE_PAUSE, keeper, 0, 0, 0);
	for (tries = 0; tries < TRIES && (why || !*found); tries++) {
		why = hypercall(0, MON_HC_ENCLAVE_RUN, keeper, op, 0, 0);
		op = why == -MON_EINVAL || why == MON_ENCLAVE_INTERRUPTED ? MON_ENCLAVE_RESUME :
									   MON_ENCLAVE_CALL;
	}
	return !why && *found == sum;
}

void enclave_done(void)
{
	destroyed(MON_HC_ENCLAVE_DESTROY, keeper);
}
