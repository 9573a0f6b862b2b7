// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: kexec next|crash VMLINUX INITRAMFS COMMAND-LINE
 *        kexec go
 *
 * Load a kernel to be started next, or after a panic; start the former. Not by Debian's
 * program, nor by kexec_file_load(): these take a packed kernel and check sums, for which
 * an emulator needs minutes.
 *
 * Everything has its place from a base on, which is 0 or where the memory for a crash kernel
 * begins. The kernel starts with boot_params of this one.
 */
#include <asm/bootparam.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096UL
#define SMALL_AT (96UL << 20)	  /* struct small, behind the kernel */
#define INITRAMFS_AT (100UL << 20)
#define LOW_END 0x9f000UL
#define MAX_RANGES 16

/* What is small; the crash kernel does not have it as RAM. */
struct small {
	unsigned char code[PAGE];
	struct boot_params params;
	char line[PAGE];
	struct {
		Elf64_Ehdr elf;
		Elf64_Phdr header[MAX_RANGES + 2];
	} core;
} __attribute__((aligned(4096)));

static struct small small;
static struct kexec_segment segments[KEXEC_SEGMENT_MAX];
static unsigned int nr_segments;
static unsigned long crash_start, crash_end;

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void *map_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *at;

	must(fd >= 0 && !fstat(fd, &st), path);
	at = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	must(at != MAP_FAILED, path);
	*size = st.st_size;
	return at;
}

static void segment(const void *data, size_t size, unsigned long at, size_t room)
{
	must(nr_segments < KEXEC_SEGMENT_MAX, "too many segments");
	segments[nr_segments++] = (struct kexec_segment){
		.buf = data, .bufsz = size,
		.mem = (void *)at, .memsz = (room + PAGE - 1) & -PAGE,
	};
}

static unsigned long load_kernel(const char *path, unsigned long base)
{
	size_t size;
	const unsigned char *file = map_file(path, &size);
	const Elf64_Ehdr *elf = (const void *)file;
	const Elf64_Phdr *p = (const void *)(file + elf->e_phoff);
	unsigned int i;

	for (i = 0; i < elf->e_phnum; i++)
		if (p[i].p_type == PT_LOAD)
			segment(file + p[i].p_offset, p[i].p_filesz, base + p[i].p_paddr,
				p[i].p_memsz);
	return base + elf->e_entry;
}

static void read_params(void)
{
	int fd = open("/sys/kernel/boot_params/data", O_RDONLY);

	must(fd >= 0 && read(fd, &small.params, sizeof(small.params)) == sizeof(small.params),
	     "/sys/kernel/boot_params/data");
	close(fd);
}

/* ---- for a crash kernel ---- */

static void core_header(unsigned int type, unsigned long start, unsigned long size)
{
	must(small.core.elf.e_phnum < MAX_RANGES + 2, "too many ranges of RAM");
	small.core.header[small.core.elf.e_phnum++] = (Elf64_Phdr){
		.p_type = type, .p_offset = start, .p_paddr = start,
		.p_filesz = size, .p_memsz = size, .p_flags = PF_R | PF_W | PF_X,
	};
}

/* RAM that is the crash kernel's: the first 640 KB, and what is reserved for it. */
static void reduce_ram(unsigned long hole, unsigned long hole_end)
{
	struct boot_e820_entry *e = small.params.e820_table;
	const struct boot_e820_entry mine[] = {
		{ 0, LOW_END, 1 }, { crash_start, hole - crash_start, 1 },
		{ hole_end, crash_end - hole_end, 1 },
	};
	unsigned int i, n = 0;

	for (i = 0; i < small.params.e820_entries; i++)
		if (e[i].type != 1)
			e[n++] = e[i];
	memcpy(e + n, mine, sizeof(mine));
	small.params.e820_entries = n + sizeof(mine) / sizeof(mine[0]);
}

/* The crash kernel's own, which it cannot read as the other's; within the range before. */
static void cut_out(unsigned long start, unsigned long end)
{
	Elf64_Phdr *p = &small.core.header[small.core.elf.e_phnum - 1];
	unsigned long whole_end = p->p_paddr + p->p_filesz;

	crash_start = start;
	crash_end = end;
	p->p_filesz = start - p->p_paddr;
	core_header(PT_LOAD, end, whole_end - end);
}

static void describe_memory(void)
{
	unsigned long start, end, size;
	FILE *file = fopen("/sys/kernel/vmcoreinfo", "r");
	char line[256], what[64];

	memcpy(small.core.elf.e_ident, ELFMAG, SELFMAG);
	small.core.elf.e_ident[EI_CLASS] = ELFCLASS64;
	small.core.elf.e_ident[EI_DATA] = ELFDATA2LSB;
	small.core.elf.e_ident[EI_VERSION] = EV_CURRENT;
	small.core.elf.e_type = ET_CORE;
	small.core.elf.e_machine = EM_X86_64;
	small.core.elf.e_version = EV_CURRENT;
	small.core.elf.e_phoff = sizeof(Elf64_Ehdr);
	small.core.elf.e_ehsize = sizeof(Elf64_Ehdr);
	small.core.elf.e_phentsize = sizeof(Elf64_Phdr);
	/* The note has to be first. */
	must(file && fscanf(file, "%lx %lx", &start, &size) == 2, "/sys/kernel/vmcoreinfo");
	core_header(PT_NOTE, start, size);
	fclose(file);
	file = fopen("/proc/iomem", "r");
	must(!!file, "/proc/iomem");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx : %63[^\n]", &start, &end, what) != 3)
			continue;
		if (!strcmp(what, "System RAM") && line[0] != ' ' && start >= LOW_END)
			core_header(PT_LOAD, start, end + 1 - start);
		if (!strcmp(what, "Crash kernel"))
			cut_out(start, end + 1);
	}
	fclose(file);
	must(!!crash_start, "/proc/iomem: crashkernel=");
}

/* ---- all ---- */

/* mov $boot_params, %rsi; mov $entry, %rax; jmp *%rax */
static void write_code(unsigned long params, unsigned long entry)
{
	unsigned char *c = small.code;

	memcpy(c, "\x48\xbe", 2);
	memcpy(c + 2, &params, 8);
	memcpy(c + 10, "\x48\xb8", 2);
	memcpy(c + 12, &entry, 8);
	memcpy(c + 20, "\xff\xe0", 2);
}

static int load(int crash, const char *kernel, const char *initramfs, const char *line)
{
	unsigned long base = 0, at, entry;
	size_t size;
	const void *file;

	read_params();
	if (crash) {
		describe_memory();
		base = crash_start;
	}
	at = base + SMALL_AT;
	entry = load_kernel(kernel, base);
	file = map_file(initramfs, &size);
	segment(file, size, base + INITRAMFS_AT, size);
	small.params.hdr.ramdisk_image = base + INITRAMFS_AT;
	small.params.hdr.ramdisk_size = size;
	small.params.hdr.setup_data = 0;
	small.params.hdr.cmd_line_ptr = at + offsetof(struct small, line);
	snprintf(small.line, sizeof(small.line), "%s", line);
	if (crash) {
		reduce_ram(at, at + sizeof(small));
		snprintf(small.line, sizeof(small.line), "%s elfcorehdr=%#lx", line,
			 at + offsetof(struct small, core));
	}
	write_code(at + offsetof(struct small, params), entry);
	segment(&small, sizeof(small), at, sizeof(small));
	must(!syscall(SYS_kexec_load, at, nr_segments, segments,
		      KEXEC_ARCH_X86_64 | (crash ? KEXEC_ON_CRASH : 0)), "kexec_load");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5)
		return load(!strcmp(argv[1], "crash"), argv[2], argv[3], argv[4]);
	if (argc != 2 || strcmp(argv[1], "go")) {
		fputs("usage: kexec next|crash VMLINUX INITRAMFS COMMAND-LINE | go\n", stderr);
		return 2;
	}
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_KEXEC, NULL);
	perror("kexec");
	return 1;
}
