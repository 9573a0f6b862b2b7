// SPDX-License-Identifier: GPL-2.0-only
/*
 * monctl measure: what the monitor will measure at launch, from the same files.
 * With --policy also what it will be told of the VM: vCPUs, and each range of
 * memory from its first byte to the one behind its last.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "monctl.h"
#include "vm_policy.h"

#define PAGE 4096

static unsigned char *read_firmware(const struct vm_description *vm)
{
	unsigned char *data = malloc(vm->firmware_size);
	FILE *file = fopen(vm->firmware, "re");
	size_t n = 0;

	if (data && file)
		n = fread(data, 1, vm->firmware_size, file);
	if (n != vm->firmware_size) {
		fail("cannot read the firmware %s: %s", vm->firmware, strerror(errno));
		free(data);
		data = NULL;
	}
	if (file)
		fclose(file);
	return data;
}

/* Each firmware range is the end of the file; uapi/hypercall.h says what is hashed. */
static bool hash_range(EVP_MD_CTX *hash, uint64_t start, uint64_t end, const unsigned char *data)
{
	unsigned char address[8];
	unsigned int i;

	for (; start < end; start += PAGE, data += PAGE) {
		for (i = 0; i < sizeof(address); i++)
			address[i] = start >> (8 * i);
		if (!EVP_DigestUpdate(hash, address, sizeof(address)) ||
		    !EVP_DigestUpdate(hash, data, PAGE))
			return false;
	}
	return true;
}

static bool hash_all(EVP_MD_CTX *hash, const struct vm_description *vm, const unsigned char *data)
{
	const struct mon_vm_policy *p = &vm->policy;
	unsigned int i;

	if (!EVP_DigestInit_ex(hash, EVP_sha256(), NULL) || !EVP_DigestUpdate(hash, p, sizeof(*p)))
		return false;
	for (i = 0; i < p->nr_ranges; i++) {
		uint64_t start = p->range[i].start, end = p->range[i].end;

		if (p->range[i].type != MON_RANGE_RAM &&
		    !hash_range(hash, start, end, data + vm->firmware_size - (end - start)))
			return false;
	}
	return true;
}

bool vm_measure(const struct vm_description *vm, unsigned char digest[MEASUREMENT_SIZE])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	unsigned char *data = read_firmware(vm);
	bool good = hash && data && hash_all(hash, vm, data) &&
		    EVP_DigestFinal_ex(hash, digest, NULL);

	if (data && !good)
		fail("OpenSSL cannot compute SHA-256");
	free(data);
	EVP_MD_CTX_free(hash);
	return good;
}

static void show_policy(const struct mon_vm_policy *p)
{
	static const char *const names[] = { "?", "ram", "firmware", "firmware-ram" };
	static const char *const device_names[] = { "?", "disk", "network" };
	unsigned int i;

	printf("vcpus %u\n", p->max_vcpus);
	for (i = 0; i < p->nr_ranges; i++)
		printf("%s %#llx %#llx\n", names[p->range[i].type], p->range[i].start,
		       p->range[i].end);
	for (i = 0; i < p->nr_devices; i++) {
		unsigned int type = p->device[i].type, pairs = MON_DEVICE_NR_PAIRS(type);

		printf("%s%s %#x", type & MON_DEVICE_MMIO ? "mmio-" : "",
		       device_names[type & 0xff], p->device[i].function);
		if (pairs > 1)
			printf(" queues %u", pairs);
		printf("\n");
	}
}

int cmd_measure(int argc, char **argv)
{
	unsigned char digest[MEASUREMENT_SIZE];
	struct carried_list carried = { 0 };
	struct vm_description vm;
	bool policy = false;
	unsigned int i;
	int n;

	if (argc > 1 && !strcmp(argv[1], "--policy")) {
		policy = true;
		argc--;
		argv++;
	}
	for (; argc > 1 && (n = carried_option(argc - 1, argv + 1, &carried)); argc -= n, argv += n)
		if (n < 0)
			return EXIT_USAGE;
	if (argc > 1 && !strcmp(argv[1], "--")) {
		argc--;
		argv++;
	}
	if (argc < 2 || argv[1][0] == '-') {
		fail("usage: monctl measure [--policy] [--disk ID=KEYFILE]... "
		     "[--network ID[,queues=N]]... [--] qemu-system-x86_64 [QEMU-OPTION]...");
		return EXIT_USAGE;
	}
	if (!vm_describe(argc - 1, argv + 1, &vm) || !vm_carry(&vm, &carried) ||
	    !vm_measure(&vm, digest))
		return EXIT_CANNOT;
	if (policy)
		show_policy(&vm.policy);
	for (i = 0; i < sizeof(digest); i++)
		printf("%02x", digest[i]);
	putchar('\n');
	return 0;
}
