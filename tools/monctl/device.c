// SPDX-License-Identifier: GPL-2.0-only
/* /dev/monitor, and what several commands ask of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "monctl.h"

int open_device(void)
{
	int dev = open(MON_DEVICE, O_RDWR | O_CLOEXEC);

	if (dev >= 0)
		return dev;
	if (errno == ENOENT)
		fail("there is no %s: is the module loaded? (insmod monitor.ko)", MON_DEVICE);
	else
		fail("cannot open %s: %s%s", MON_DEVICE, strerror(errno),
		     errno == EACCES || errno == EPERM ? "; run it as root" : "");
	return -1;
}

const char *request_error(int err)
{
	switch (err) {
	case EINVAL:
	case E2BIG:
	case ENOTTY:
		return "the module and this program do not understand each other: "
		       "are they of one version?";
	case EIO:
		return "the monitor gives no answer: the kernel's log says more (dmesg)";
	default:
		return strerror(err);
	}
}

static bool add_share(struct shares *shares, const struct mon_share_info *share)
{
	struct mon_share_info *item =
		reallocarray(shares->item, shares->nr + 1, sizeof(*shares->item));

	if (!item) {
		fail("out of memory");
		return false;
	}
	shares->item = item;
	shares->item[shares->nr++] = *share;
	return true;
}

bool read_shares(struct shares *shares)
{
	int dev = open_device(), err = 0;
	bool good = dev >= 0;
	unsigned int slot;

	*shares = (struct shares){ 0 };
	for (slot = 0; good && err != ERANGE; slot++) {
		struct mon_share_info share = { .size = sizeof(share), .slot = slot };

		err = ioctl(dev, MON_IOC_SHARE_AT, &share) ? errno : 0;
		if (!err)
			good = add_share(shares, &share);
		else if (err != ENOENT && err != ERANGE)
			good = !fail("cannot ask for share %u: %s", slot, request_error(err));
	}
	if (dev >= 0)
		close(dev);
	return good;
}

const char *human_size(unsigned long long frames, char out[SIZE_TEXT])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double n = 4.0 * frames;
	unsigned int unit = 0;

	while (n >= 1024 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		n /= 1024;
		unit++;
	}
	snprintf(out, SIZE_TEXT, unit ? "%.1f %s" : "%.0f %s", n, units[unit]);
	return out;
}

const char *domain_name(unsigned int domain, char out[DOMAIN_TEXT])
{
	switch (domain) {
	case MON_DOMAIN_HOST:
		return "host";
	case MON_DOMAIN_MONITOR:
		return "monitor";
	case MON_DOMAIN_NONE:
		return "-";
	}
	snprintf(out, DOMAIN_TEXT, "domain %u", domain);
	return out;
}
