// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: config port|string|memory BUS FUNCTION REGISTER [SIZE VALUE]
 *
 * In a guest on Q35: a dword of a PCI function's configuration, after a write to it if there is a
 * VALUE. By instructions as all have them, by string instructions, or in memory, where SeaBIOS has
 * it. Numbers are hexadecimal.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>

#define ADDRESS 0xcf8
#define DATA 0xcfc
#define ECAM 0xb0000000UL

static uint32_t address; /* bus, function and register, as ADDRESS takes them */

static uint32_t by_port(uint32_t reg, uint32_t size, uint32_t value)
{
	outl(1U << 31 | address, ADDRESS);
	if (size == 1)
		outb(value, DATA + reg % 4);
	else if (size == 2)
		outw(value, DATA + reg % 4);
	else if (size)
		outl(value, DATA);
	return inl(DATA);
}

static uint32_t by_string(uint32_t reg, uint32_t size, uint32_t value)
{
	/* The C library does not tell the compiler that they are in memory. */
	volatile uint32_t at = 1U << 31 | address, written = value, read[3] = { 0 };

	outsl(ADDRESS, (void *)&at, 1);
	if (size == 1)
		outsb(DATA + reg % 4, (void *)&written, 1);
	else if (size == 2)
		outsw(DATA + reg % 4, (void *)&written, 1);
	else if (size)
		outsl(DATA, (void *)&written, 1);
	insl(DATA, (void *)read, 2); /* twice the same */
	if (read[0] != read[1] || read[2])
		errx(1, "INS reads %x, then %x, and writes %x behind it", read[0], read[1],
		     read[2]);
	return read[0];
}

static uint32_t in_memory(uint32_t reg, uint32_t size, uint32_t value)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	volatile uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				      ECAM + ((off_t)(address >> 8) << 12));

	if (page == MAP_FAILED)
		err(1, "/dev/mem");
	if (size == 1)
		page[reg] = value;
	else if (size == 2)
		*(volatile uint16_t *)(page + reg) = value;
	else if (size)
		*(volatile uint32_t *)(page + reg) = value;
	return *(volatile uint32_t *)(page + (reg & ~3U));
}

int main(int argc, char **argv)
{
	uint32_t n[5] = { 0 }, value;
	int i;

	if ((argc != 5 && argc != 7) || iopl(3))
		errx(1, "see the beginning of config.c; it needs root's rights");
	for (i = 2; i < argc; i++)
		n[i - 2] = strtoul(argv[i], NULL, 16);
	address = n[0] << 16 | n[1] << 8 | (n[2] & 0xfc);
	if (!strcmp(argv[1], "memory"))
		value = in_memory(n[2], n[3], n[4]);
	else if (!strcmp(argv[1], "string"))
		value = by_string(n[2], n[3], n[4]);
	else
		value = by_port(n[2], n[3], n[4]);
	printf("%s: %08x\n", argv[1], value);
	return 0;
}
