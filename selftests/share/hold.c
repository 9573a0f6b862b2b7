// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: hold [both]
 *
 * A confidential VM that has offered pages, for whoever calls the monitor behind the
 * module's back. Says which domain it is, and the numbers of what it offers to the
 * host: four pages to read and write, two to read, and one to a VM by its name. With
 * "both", the host takes the first, reads one page of it, and offers three of its own.
 * Then the end of standard input is the end of it.
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../../uapi/guest.h"
#include "../../uapi/monitor.h"
#include "puppet.h"

#define AREA 0x400000UL
#define RW (MON_SHARE_READ | MON_SHARE_WRITE)

static int use(int domain, long id)
{
	struct mon_share_accept a = { .size = sizeof(a), .id = id };
	struct mon_share_offer o = { .size = sizeof(o), .perm = RW, .pages = 3 };
	int share = ioctl(domain, MON_IOC_SHARE_ACCEPT, &a);
	volatile long *p;

	if (share < 0 || ioctl(domain, MON_IOC_SHARE_OFFER, &o) < 0)
		return -1;
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, share, 0);
	return p != MAP_FAILED && *p == 0x1234 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	int domain = puppet_start(PUPPET_RAM);
	long id;
	char byte;

	(void)argv;
	puppet(PUPPET_STORE, AREA, 0x1234, 0, 0);
	id = puppet_offer(AREA, 4, RW, MON_SHARE_TO_HOST, NULL, 0xfeed);
	if (ioctl(domain, MON_IOC_VM_STATUS, &info) || (argc > 1 && use(domain, id)))
		return 1;
	printf("%u %ld %ld %ld\n", info.domain, id,
	       puppet_offer(AREA + 0x10000, 2, MON_SHARE_READ, MON_SHARE_TO_HOST, NULL, 0),
	       puppet_offer(AREA + 0x20000, 1, RW, MON_SHARE_TO_NAME, NULL, 0));
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
