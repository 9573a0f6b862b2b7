// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: wiped PROTECTED OPEN WAY
 *
 * A confidential VM has a number of 64 bits in 1 MiB of its memory, this program
 * another in as much of its own. Given are both inverted, so that they are nowhere
 * else. While the VM runs on another CPU, the machine is reset; see ways[].
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../share/puppet.h"

#define AREA 0x400000UL
#define WORDS (1UL << 17)

static volatile int running;

/* Answers come and go on this CPU; most of the time it is in the guest. */
static void *guest(void *number)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(1, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	puppet_start(PUPPET_RAM);
	puppet(PUPPET_FILL, AREA, *(unsigned long *)number, WORDS, 0);
	puppet(PUPPET_INVERT, AREA, 0, WORDS, 0);
	for (;;) {
		puppet(PUPPET_TOUCH, AREA + (1 << 20), 1, 512, 0);
		running = 1;
	}
	return NULL;
}

static void sysrq(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (fd < 0 || write(fd, "b", 1) != 1)
		perror("wiped: /proc/sysrq-trigger");
}

static void pci_reset(void)
{
	outb(0x06, 0xcf9);
}

/* The kernel module that comes with the tests; see selftests/testmod. */
static void module(const char *command)
{
	FILE *f = fopen("/sys/kernel/debug/testmod/do", "w");

	if (!f || fputs(command, f) < 0 || fclose(f))
		perror("wiped: testmod");
}

/*
 * A machine check, while this CPU cannot take one: it shuts down, and the board resets the machine
 * (SDM 6.15). Bochs does that for a triple fault only.
 */
static void machine_check(const char *before)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	module(before);
	outl(1000, 0x8a18); /* the test machine's; see mcheck.c */
}

static void without_mce(void)
{
	machine_check("cr 0 4 0x40 1");
}

static void still_in_progress(void)
{
	machine_check("wrmsr 0 0x17a 4");
}

/* The same, most likely while the CPU is in the monitor. */
static void still_in_root(void)
{
	unsigned int eax, ebx, ecx, edx;

	still_in_progress();
	for (;;)
		__get_cpuid(1, &eax, &ebx, &ecx, &edx);
}

/* As sysrq(), but in an NMI's handler: the other CPU leaves VMX operation in one, too. */
static void nmi_reset(void)
{
	module("nmireset 0");
}

/* With this CPU's APIC in another mode: the others have to be told to stop all the same. */
static void x2apic_reset(void)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	module("wrmsr 0 0x1b 0xfee00d00");
	pci_reset();
}

/*
 * By a guest that may use any port, in KVM's VMX operation on CPU 0, beside KVM. In a
 * process of its own: this one enters nothing but the confidential VM.
 */
static void guest_pci_reset(void)
{
	if (fork())
		return;
	module("vmx 0 region 1 0");
	module("code 0xf4ee06b00cf9ba66"); /* mov $0xcf9, %dx; mov $6, %al; out %al, %dx; hlt */
	module("enter 0 long");
}

/* Bochs' PM1a control: sleep type 1 is suspend to RAM, which ends by a reset */
static void suspend(void)
{
	outw(0x2400, 0xb004);
}

static const struct {
	const char *name;
	void (*go)(void);
} ways[] = {
	{ "sysrq", sysrq },
	{ "nmi", nmi_reset },
	{ "pci", pci_reset },
	{ "x2apic", x2apic_reset },
	{ "guest", guest_pci_reset },
	{ "suspend", suspend },
	{ "mce", without_mce },
	{ "mcip", still_in_progress },
	{ "root", still_in_root },
};

int main(int argc, char **argv)
{
	unsigned long numbers[2], *open_memory;
	pthread_t thread;
	unsigned int i;

	if (argc != 4 || iopl(3)) {
		fprintf(stderr, "usage: wiped PROTECTED OPEN WAY, as root\n");
		return 2;
	}
	numbers[0] = strtoul(argv[1], NULL, 16);
	numbers[1] = strtoul(argv[2], NULL, 16);
	open_memory = mmap(NULL, WORDS * 8, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	for (i = 0; i < WORDS; i++)
		open_memory[i] = ~numbers[1];
	if (pthread_create(&thread, NULL, guest, &numbers[0]))
		return 1;
	while (!running)
		sched_yield();
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].name, argv[3]))
			ways[i].go();
	pause();
	return 1;
}
