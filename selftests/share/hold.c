// SPDX-License-Identifier: GPL-2.0-only
/*
 * A confidential VM that has offered pages, for whoever calls the monitor behind the
 * module's back. Says which domain it is, and the numbers of what it offers to the
 * host: four pages to read and write, two to read, and one to a VM by its name. Then
 * the end of standard input is the end of it.
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "../../uapi/guest.h"
#include "../../uapi/monitor.h"
#include "puppet.h"

#define AREA 0x400000UL
#define RW (MON_SHARE_READ | MON_SHARE_WRITE)

int main(void)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	int domain = puppet_start(PUPPET_RAM);
	char byte;

	puppet(PUPPET_STORE, AREA, 0x1234, 0, 0);
	if (ioctl(domain, MON_IOC_VM_STATUS, &info))
		return 1;
	printf("%u %ld %ld %ld\n", info.domain,
	       puppet_offer(AREA, 4, RW, MON_SHARE_TO_HOST, NULL, 0),
	       puppet_offer(AREA + 0x10000, 2, MON_SHARE_READ, MON_SHARE_TO_HOST, NULL, 0),
	       puppet_offer(AREA + 0x20000, 1, RW, MON_SHARE_TO_NAME, NULL, 0));
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
