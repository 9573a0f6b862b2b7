// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: victim [ordinary]
 *
 * A confidential VM that is attacked: 64 pages of it are full of a pattern. Says which
 * domain it is, and the numbers of a page that the host may read, and of one that it may
 * write, too. At each line of its standard input it says how many of the pattern's words are
 * still there; "fill": the page that the host may write is full of it, too; "end": it is not
 * shared any more; "release": the last 16 pages are given back; "registers": it has another
 * word in its registers, which nobody else has, while it asks a device. The end of its input
 * is its end. It stays on CPU 1, so that on CPU 0 KVM has no VMCS that an attacker would take
 * from under it.
 */
#define _GNU_SOURCE
#include <linux/kvm.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "../../uapi/guest.h"
#include "../../uapi/monitor.h"
#include "../share/puppet.h"
#include "../vm/secret.h"

#define RAM (4UL << 20)
#define AREA 0x100000UL
#define SHARED 0x180000UL
#define WORDS (64UL * 512)
#define RELEASED 16UL
#define DEVICE 0x40000000UL

static long word, ro, rw;

static int device(void)
{
	return puppet_run->exit_reason == KVM_EXIT_MMIO;
}

static long command(const char *line)
{
	if (!strcmp(line, "fill\n"))
		return puppet(PUPPET_FILL, SHARED + 0x1000, word, 512, 0);
	if (!strcmp(line, "registers\n")) {
		puppet(PUPPET_STORE, SHARED, (unsigned long)secret_inverted(9, 0), 0, 0);
		return puppet(PUPPET_REGS, SHARED, DEVICE, 0, 0);
	}
	if (!strcmp(line, "end\n"))
		return puppet(MON_GC_END, rw, 0, 0, 0);
	if (!strcmp(line, "release\n"))
		return puppet(MON_GC_RELEASE, (AREA + WORDS * 8) / 4096 - RELEASED, RELEASED, 0,
			      0);
	return puppet(PUPPET_COUNT, AREA, word, WORDS, 0);
}

static void share(void)
{
	puppet(PUPPET_STORE, SHARED, 0x1234, 0, 0);
	puppet(PUPPET_STORE, SHARED + 0x1000, 0x5678, 0, 0);
	ro = puppet_offer(SHARED, 1, MON_SHARE_READ, MON_SHARE_TO_HOST, NULL, 0);
	rw = puppet_offer(SHARED + 0x1000, 1, MON_SHARE_READ | MON_SHARE_WRITE,
			  MON_SHARE_TO_HOST, NULL, 0);
}

int main(int argc, char **argv)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	cpu_set_t second;
	int domain;
	char *line = NULL;
	size_t size = 0;

	(void)argv;
	CPU_ZERO(&second);
	CPU_SET(1, &second);
	if (sched_setaffinity(0, sizeof(second), &second))
		return 1;
	word = (long)~secret_inverted(7, 0);
	puppet_options.ordinary = argc > 1;
	puppet_options.on_exit = device;
	domain = puppet_start(RAM);
	puppet(PUPPET_FILL, AREA, word, WORDS, 0);
	if (argc == 1) {
		share();
		if (ioctl(domain, MON_IOC_VM_STATUS, &info))
			return 1;
	}
	printf("%u %ld %ld\n", info.domain, ro, rw);
	fflush(stdout);
	while (getline(&line, &size, stdin) > 0) {
		printf("%ld\n", command(line));
		fflush(stdout);
	}
	free(line);
	return 0;
}
