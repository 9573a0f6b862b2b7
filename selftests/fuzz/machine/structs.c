// SPDX-License-Identifier: GPL-2.0-only
/* The structures that calls and requests take: usual ones, but for the words that an input has. */
#include <string.h>
#include "../../../uapi/guest.h"
#include "../../../uapi/monitor.h"
#include "fuzzer.h"
#include "guest.h"

#define STRUCTURE_MAX 512

static struct mon_vm_policy policy(void)
{
	return (struct mon_vm_policy){
		.version = MON_VM_POLICY_VERSION, .nr_ranges = 1, .max_vcpus = 2,
		.range = { { .start = 0, .end = 0x10000, .type = MON_RANGE_RAM } },
	};
}

/* With a disk, whose key is zeros, and cards of both kinds. */
static struct mon_vm_policy policy_disk(void)
{
	static const uint8_t key_id[32] = {
		0x56, 0x79, 0xba, 0x51, 0xba, 0x7e, 0x2d, 0x67, 0x0e, 0x3f, 0x0a, 0x6e, 0x9b, 0xe9,
		0x07, 0xe5, 0xdc, 0x43, 0xf5, 0x81, 0x4f, 0xb5, 0xa3, 0xd0, 0x05, 0xd8, 0x04, 0x29,
		0x65, 0xef, 0xb3, 0x5f,
	};
	struct mon_vm_policy p = policy();

	p.range[0].end = MON_VM_ARENA + 3 * MON_VM_ARENA_DEVICE;
	p.nr_devices = 3;
	p.device[0].type = MON_DEVICE_DISK;
	p.device[0].function = 8;
	memcpy(p.device[0].key_id, key_id, sizeof(key_id));
	p.device[1].type = MON_DEVICE_NETWORK | MON_DEVICE_PAIRS(2);
	p.device[1].function = MON_DEVICE_BEHIND(9, 0);
	p.device[2].type = MON_DEVICE_NETWORK | MON_DEVICE_MMIO;
	p.device[2].function = 0xfeb00000;
	return p;
}

/* Its addresses are among the numbers of world.c. */
static struct mon_enclave_policy policy_enclave(void)
{
	return (struct mon_enclave_policy){
		.version = MON_ENCLAVE_POLICY_VERSION, .nr_ranges = 4, .nr_threads = 2,
		.range = {
			{ 0x10000, 0x20000, MON_ENCLAVE_PAGES, 0 },
			{ 0x20000, 0xa0000, MON_ENCLAVE_ZERO, 0 },
			{ 0xa0000, 0xa2000, MON_ENCLAVE_BUFFER, 0 },
			{ 0xa2000, 0xb0000, MON_ENCLAVE_SHARED, 0 },
		},
		.entry = 0x10000, .handler = 0x10000, .stacks = 0x20000, .stack_size = 0x4000,
	};
}

/* By and for enclaves that are the same: the page that the structure itself is on. */
static struct mon_enclave_offer enclave_offer(void)
{
	struct mon_enclave_offer offer = {
		.address = 0x40000, .pages = 1, .perm = MON_SHARE_READ | MON_SHARE_WRITE,
		.to = MON_SHARE_TO_ENCLAVE, .tag = 7 };

	measurement_of_newest(offer.name.measurement);
	return offer;
}

static struct mon_enclave_accept enclave_accept(void)
{
	struct mon_enclave_offer offer = enclave_offer();

	return (struct mon_enclave_accept){
		.id = share_newest(), .address = 0xa2000, .pages = offer.pages,
		.perm = offer.perm, .from = offer.to, .tag = offer.tag, .name = offer.name };
}

static void usual_call(unsigned int what, void *at)
{
	switch (what) {
	case ST_CREATE:
		*(struct mon_vm_create *)at = (struct mon_vm_create){
			.host_cr3 = arena_pa + 63 * PAGE, .policy = policy() };
		break;
	case ST_CREATE_DISK:
		*(struct mon_vm_create *)at = (struct mon_vm_create){
			.host_cr3 = arena_pa + 62 * PAGE, .policy = policy_disk() };
		break;
	case ST_ENCLAVE:
		*(struct mon_enclave_make *)at = (struct mon_enclave_make){
			.limit = 16, .policy = policy_enclave() };
		break;
	case ST_ENCLAVE_OFFER:
		*(struct mon_enclave_offer *)at = enclave_offer();
		break;
	case ST_ENCLAVE_ACCEPT:
		*(struct mon_enclave_accept *)at = enclave_accept();
		break;
	case ST_OFFER:
		*(struct mon_host_offer *)at = (struct mon_host_offer){
			.domain = victim_domain, .perm = MON_SHARE_READ | MON_SHARE_WRITE,
			.pfn = arena_pa / PAGE + 48, .nr = 4, .tag = 7 };
		break;
	case ST_GUEST_OFFER:
		*(struct mon_guest_offer *)at = (struct mon_guest_offer){
			.gfn = GUEST_PLAY / PAGE, .pages = 4,
			.perm = MON_SHARE_READ | MON_SHARE_WRITE, .to = MON_SHARE_TO_HOST };
		break;
	}
}

static void usual_request(unsigned int what, void *at, uint64_t its_address)
{
	switch (what) {
	case ST_ARM:
		*(struct mon_vm_arm *)at = (struct mon_vm_arm){
			.size = sizeof(struct mon_vm_arm), .policy = policy() };
		break;
	case ST_ARM_DISK:
		*(struct mon_vm_arm *)at = (struct mon_vm_arm){
			.size = sizeof(struct mon_vm_arm), .policy = policy_disk() };
		break;
	case ST_KEY:
		*(struct mon_vm_key *)at = (struct mon_vm_key){
			.size = sizeof(struct mon_vm_key) };
		break;
	case ST_ENCLAVE_CREATE:
		*(struct mon_enclave_create *)at = (struct mon_enclave_create){
			.size = sizeof(struct mon_enclave_create), .frames = 16,
			.policy = policy_enclave() };
		break;
	case ST_ENCLAVE_ADD:
		*(struct mon_enclave_add *)at = (struct mon_enclave_add){
			.size = sizeof(struct mon_enclave_add), .perm = 5, .address = 0x10000,
			.source = its_address & ~(PAGE - 1), .pages = 1 };
		break;
	case ST_ENCLAVE_RUN:
		*(uint32_t *)at = sizeof(struct mon_enclave_run);
		break;
	case ST_ENCLAVE_EVICT:
		*(struct mon_enclave_evict *)at = (struct mon_enclave_evict){
			.size = sizeof(struct mon_enclave_evict), .pages = 4,
			.domain = value_of(&(struct value){ .kind = 'D', .index = 1 }, 0) };
		break;
	case ST_ENCLAVE_INFO:
		*(uint32_t *)at = sizeof(struct mon_enclave_info);
		break;
	case ST_INFO:
		*(uint32_t *)at = sizeof(struct mon_info);
		break;
	case ST_VM_INFO:
		*(uint32_t *)at = sizeof(struct mon_vm_info);
		break;
	case ST_FRAMES:
		*(struct mon_vm_frames *)at = (struct mon_vm_frames){
			.size = sizeof(struct mon_vm_frames), .frames = 1 };
		break;
	case ST_ACCEPT:
		*(struct mon_share_accept *)at = (struct mon_share_accept){
			.size = sizeof(struct mon_share_accept) };
		break;
	case ST_SHARE_OFFER:
		*(struct mon_share_offer *)at = (struct mon_share_offer){
			.size = sizeof(struct mon_share_offer), .pages = 2,
			.perm = MON_SHARE_READ | MON_SHARE_WRITE };
		break;
	case ST_SHARE_INFO:
		*(uint32_t *)at = sizeof(struct mon_share_info);
		break;
	case ST_PAGES:
		*(struct mon_pages *)at = (struct mon_pages){
			.size = sizeof(struct mon_pages), .count = 64,
			.counts = its_address + STRUCTURE_MAX };
		break;
	}
}

/* @its_address: as who gets it sees it */
void structure_make(const struct op *op, void *at, uint64_t its_address)
{
	unsigned int i, word;
	uint64_t value;

	memset(at, 0, STRUCTURE_MAX);
	usual_call(op->structure, at);
	usual_request(op->structure, at, its_address);
	for (i = 0; i < op->nr_edits; i++) {
		word = op->edit[i].word % (STRUCTURE_MAX / 4 - 1);
		value = value_of(&op->edit[i].value, its_address);
		used[nr_results][NR_ARGS + i] = value;
		memcpy((char *)at + word * 4, &value, op->edit[i].wide ? 8 : 4);
	}
}
