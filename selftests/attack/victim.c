// SPDX-License-Identifier: GPL-2.0-only
/*
 * A confidential VM that is attacked: 64 pages of it are full of a pattern. Says which
 * domain it is, and the numbers of a page that the host may read, and of one that it may
 * write, too. At each line of its standard input it says how many of the pattern's words are
 * still there; the end of its input is its end. It stays on CPU 1, so that on CPU 0 KVM has no
 * VMCS that an attacker would take from under it.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include "../../uapi/guest.h"
#include "../../uapi/monitor.h"
#include "../share/puppet.h"
#include "../vm/secret.h"

#define RAM (4UL << 20)
#define AREA 0x100000UL
#define SHARED 0x180000UL
#define WORDS (64UL * 512)

int main(void)
{
	unsigned long word = ~secret_inverted(7, 0);
	struct mon_vm_info info = { .size = sizeof(info) };
	cpu_set_t second;
	int domain;
	char *line = NULL;
	size_t size = 0;
	long ro, rw;

	CPU_ZERO(&second);
	CPU_SET(1, &second);
	if (sched_setaffinity(0, sizeof(second), &second))
		return 1;
	domain = puppet_start(RAM);
	puppet(PUPPET_FILL, AREA, word, WORDS, 0);
	puppet(PUPPET_STORE, SHARED, 0x1234, 0, 0);
	puppet(PUPPET_STORE, SHARED + 0x1000, 0x5678, 0, 0);
	ro = puppet_offer(SHARED, 1, MON_SHARE_READ, MON_SHARE_TO_HOST, NULL, 0);
	rw = puppet_offer(SHARED + 0x1000, 1, MON_SHARE_READ | MON_SHARE_WRITE,
			  MON_SHARE_TO_HOST, NULL, 0);
	if (ioctl(domain, MON_IOC_VM_STATUS, &info))
		return 1;
	printf("%u %ld %ld\n", info.domain, ro, rw);
	fflush(stdout);
	while (getline(&line, &size, stdin) > 0) {
		printf("%ld\n", puppet(PUPPET_COUNT, AREA, word, WORDS, 0));
		fflush(stdout);
	}
	free(line);
	return 0;
}
