// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/pci.c */
/*
 * A mediated device's configuration space, as a stock Linux looks at it: header, sizes of BARs, the
 * walk over the capabilities. Of all other bits none can be written, by no width, anywhere.
 */
#include "core/io/pci.h"
#include "core/io/virtio.h"
#include "unit.h"

#define NETWORK 1
#define BLOCK_DEVICE 2
#define CONFIG 60

static struct pci pci;

void monitor_bug(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static u32 get(u32 reg, u32 size)
{
	return pci_read(&pci, reg, size);
}

/* ---- as drivers/pci/probe.c ---- */

static void test_header(void)
{
	u32 reg, wrong = 0;

	pci_init(&pci, NETWORK, 3, 8);
	ok(get(0, 4) == 0x10411af4 && get(8, 4) == 0x02000001, "a network card's numbers");
	pci_init(&pci, BLOCK_DEVICE, 2, CONFIG);
	ok(get(0, 2) == 0x1af4 && get(2, 2) == 0x1042 && get(0xb, 1) == 1 && get(0xa, 1) == 0,
	   "a disk's");
	ok(get(8, 1) == 1 && get(0x2c, 2) == 0x1af4 && get(0x2e, 2) == 0x1100,
	   "revision 1, so not a transitional device; subsystem");
	ok(!get(0xe, 1), "one function, of the plain kind");
	ok(get(4, 2) == 0 && get(6, 2) == 0x10, "decodes nothing, and has capabilities");
	ok(get(0x3d, 1) == 1 && !get(0x3c, 1), "interrupt pin A, no line yet");
	for (reg = 0x10; reg < 0x28; reg += 4)
		wrong += get(reg, 4) != 0;
	ok(!wrong && !get(0x30, 4), "no BAR is placed, and there is no ROM");
}

/* __pci_read_base(): 0, or the size that the BAR's mask says */
static u32 size_of(u32 reg, u32 ones)
{
	u32 old = get(reg, 4), mask;

	pci_write(&pci, reg, 4, ones);
	mask = get(reg, 4);
	pci_write(&pci, reg, 4, old);
	check(get(reg, 4) == old && !(mask & 0xf)); /* memory, 32 bits, not prefetchable */
	return mask ? ~mask + 1 : 0;
}

static void test_bars(void)
{
	u32 bar, n = 0;

	pci_init(&pci, BLOCK_DEVICE, 2, CONFIG);
	for (bar = 0; bar < 6; bar++)
		n += size_of(0x10 + 4 * bar, ~0u) != 0;
	ok(n == 2 && size_of(0x14, ~0u) == 0x1000 && size_of(0x20, ~0u) == 0x4000,
	   "two BARs, of 4 and 16 KiB");
	ok(!size_of(0x30, 0xfffff800), "and no ROM");
	ok(pci_write(&pci, 0x20, 4, 0xfebf1234) == PCI_SAME && get(0x20, 4) == 0xfebf0000,
	   "a BAR is placed at a multiple of its size");
	pci_write(&pci, 0x14, 4, 0xfebf5fff);
	ok(get(0x14, 4) == 0xfebf5000 && get(0x20, 4) == 0xfebf0000, "each one for itself");
	pci_write(&pci, 0x22, 1, 0x80);
	ok(get(0x20, 4) == 0xfe800000, "by bytes, too");
}

/* ---- as pci_find_capability() and virtio_pci_find_capability() ---- */

/* Where the capability @id is, from @from on; with @type, of virtio's. Each is seen once. */
static u32 find(u32 id, u32 type)
{
	u32 at = get(0x34, 1) & ~3u, ttl;

	for (ttl = 0; at; ttl++, at = get(at + 1, 1) & ~3u) {
		check(ttl < 48 && at >= 0x40);
		if (get(at, 1) == id && (!type || get(at + 3, 1) == type))
			return at;
	}
	return 0;
}

static void test_virtio_capabilities(void)
{
	static const struct {
		u32 type, offset, bytes;
		const char *name;
	} want[] = {
		{ 1, PCI_COMMON, VIRTIO_COMMON_SIZE, "common configuration" },
		{ 2, PCI_NOTIFY, 4 * VIRTIO_QUEUES_MAX, "notifications" },
		{ 3, PCI_ISR, 1, "interrupt status" },
		{ 4, PCI_DEVICE, CONFIG, "the disk's configuration" },
	};
	u32 i, at;

	pci_init(&pci, BLOCK_DEVICE, 2, CONFIG);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		at = find(9, want[i].type);
		ok(at && get(at + 2, 1) >= 16 && get(at + 4, 1) == 4 &&
		   get(at + 8, 4) == want[i].offset && get(at + 12, 4) == want[i].bytes,
		   "%s: %u bytes at 0x%x", want[i].name, want[i].bytes, want[i].offset);
	}
	at = find(9, 2);
	ok(get(at + 2, 1) == 20 && get(at + 16, 4) == PCI_NOTIFY_STEP, "queues apart by 4 bytes");
	ok(!find(9, 5) && !find(1, 0) && !find(5, 0) && !find(0x10, 0),
	   "no window in here, no power management, MSI, PCI Express");
}

static void test_msix(void)
{
	u32 at;

	pci_init(&pci, BLOCK_DEVICE, 2, CONFIG);
	at = find(0x11, 0);
	ok(at == PCI_MSIX_AT && get(at + 2, 2) == 1 && get(at + 4, 4) == (PCI_MSIX_TABLE | 1) &&
	   get(at + 8, 4) == (PCI_MSIX_PENDING | 1), "MSI-X: 2 vectors, in BAR 1");
	ok(pci_write(&pci, at + 2, 2, 0xffff) == PCI_MSIX && get(at + 2, 2) == 0xc001,
	   "enabled and masked; their number stays");
	ok(pci_write(&pci, at, 4, 0x80000000) == PCI_MSIX && get(at, 4) == 0x80010011,
	   "by a double word");
	ok(pci_write(&pci, at + 3, 1, 0) == PCI_MSIX && get(at + 2, 2) == 1, "by a byte");
	ok(pci_write(&pci, at, 2, 0xffff) == PCI_NOTHING, "its number and place are not written");
	pci_init(&pci, BLOCK_DEVICE, 0xffff, CONFIG);
	ok(get(PCI_MSIX_AT + 2, 2) == PCI_VECTORS_MAX - 1, "not more vectors than the BAR has");
	pci_init(&pci, BLOCK_DEVICE, 0, CONFIG);
	ok(!find(0x11, 0) && !get(PCI_MSIX_AT, 4) &&
	   pci_write(&pci, PCI_MSIX_AT, 4, ~0u) == PCI_NOTHING && !get(PCI_MSIX_AT, 4),
	   "none: no MSI-X");
}

/* ---- all bits ---- */

/* Bits that can be written, by dword */
static u32 writable(u32 at)
{
	switch (at) {
	case 0x04:
		return 0x0406;
	case 0x14:
		return 0xfffff000;
	case 0x20:
		return 0xffffc000;
	case 0x3c:
		return 0xff;
	case PCI_MSIX_AT:
		return 0xc0000000;
	default:
		return 0;
	}
}

static enum pci_write verdict(u32 reg, u32 size)
{
	u32 at = reg & ~3u, last = (reg & 3) + size - 1;

	if (at == PCI_MSIX_AT)
		return last >= 2 ? PCI_MSIX : PCI_NOTHING;
	if (at == 0x04)
		return (reg & 3) < 2 ? PCI_SAME : PCI_NOTHING;
	if (at == 0x3c)
		return (reg & 3) < 1 ? PCI_SAME : PCI_NOTHING;
	return at == 0x14 || at == 0x20 ? PCI_SAME : PCI_NOTHING;
}

static void snapshot(u32 space[64])
{
	u32 i;

	for (i = 0; i < 64; i++)
		space[i] = get(4 * i, 4);
}

static void test_writes(void)
{
	u32 before[64], after[64], n, i, wrong = 0, verdicts = 0, narrow = 0;

	pci_init(&pci, BLOCK_DEVICE, 2, CONFIG);
	snapshot(before);
	for (n = 0; n < 400000; n++) {
		u32 size = 1u << unit_random() % 3, reg = unit_random() % 256, mask = 0;
		u32 value = unit_random();

		if (reg % 4 + size > 4) {
			verdicts += pci_write(&pci, reg, size, value) != PCI_NOTHING;
		} else {
			mask = (size == 4 ? ~0u : (1u << 8 * size) - 1) << 8 * (reg % 4);
			verdicts += pci_write(&pci, reg, size, value) != verdict(reg, size);
		}
		snapshot(after);
		i = reg / 4;
		mask &= writable(4 * i);
		before[i] = (before[i] & ~mask) | (value << 8 * (reg % 4) & mask);
		wrong += memcmp(before, after, sizeof(before)) != 0;
		reg = unit_random() % 256;
		size = 1u << unit_random() % 3;
		if (reg % 4 + size <= 4)
			narrow += get(reg, size) != (after[reg / 4] >> 8 * (reg % 4) &
						     (size == 4 ? ~0u : (1u << 8 * size) - 1));
	}
	ok(!wrong, "400,000 writes at random: what can be written is, all else stays");
	ok(!verdicts, "... the host is told of command, line, BARs and MSI-X's control only");
	ok(!narrow, "... and bytes and words read as parts of double words");
}

static void test_outside(void)
{
	struct pci before;
	u32 reg, size, wrong = 0;

	pci_init(&pci, BLOCK_DEVICE, 2, CONFIG);
	before = pci;
	for (reg = 0; reg < 5000; reg++) {
		for (size = 0; size < 10; size++) {
			bool good = (size == 1 || size == 2 || size == 4) && reg < 256 &&
				    reg % 4 + size <= 4;
			u32 ones = size >= 4 ? ~0u : (1u << 8 * size) - 1;

			if (good)
				continue;
			wrong += get(reg, size) != ones;
			wrong += pci_write(&pci, reg, size, ~0u) != PCI_NOTHING;
		}
	}
	wrong += get(~0u, 1) != 0xff || get(~3u, 4) != ~0u;
	wrong += pci_write(&pci, ~3u, 4, ~0u) != PCI_NOTHING;
	ok(!wrong && !memcmp(&before, &pci, sizeof(pci)),
	   "across double words, of other sizes, behind the end: ones, and nothing is written");
}

static void test_bar4(void)
{
	u32 offset = 7;

	pci_init(&pci, BLOCK_DEVICE, 2, CONFIG);
	pci_write(&pci, 0x04, 2, 2);
	ok(!pci_bar4(&pci, 0, &offset) && !pci_bar4(&pci, 0x3fff, &offset),
	   "a BAR that nobody has placed is nowhere");
	pci_write(&pci, 0x20, 4, 0xfebf0000);
	ok(pci_bar4(&pci, 0xfebf0000, &offset) && !offset &&
	   pci_bar4(&pci, 0xfebf3fff, &offset) && offset == 0x3fff, "its first and last byte");
	ok(!pci_bar4(&pci, 0xfebeffff, &offset) && !pci_bar4(&pci, 0xfebf4000, &offset) &&
	   !pci_bar4(&pci, 0x1febf0000, &offset) && offset == 0x3fff, "not the ones beside it");
	pci_write(&pci, 0x20, 4, ~0u);
	ok(pci_bar4(&pci, 0xffffffff, &offset) && !pci_bar4(&pci, 0x100000000, &offset) &&
	   !pci_bar4(&pci, 0, &offset), "at the end of 4 GiB it does not wrap");
	pci_write(&pci, 0x04, 2, 4);
	ok(!pci_bar4(&pci, 0xffffffff, &offset), "without memory decoding it is nowhere");
}

int main(void)
{
	test_header();
	test_bars();
	test_virtio_capabilities();
	test_msix();
	test_writes();
	test_outside();
	test_bar4();
	return unit_end();
}
