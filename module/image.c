// SPDX-License-Identifier: GPL-2.0-only
/*
 * The monitor image: an ELF of its own, embedded here, copied into frames of
 * its own and mapped at its fixed address in the monitor's page tables.
 */
#include <linux/elf.h>
#include <linux/mm.h>
#include "monitor.h"

extern const u8 monitor_image_start[], monitor_image_end[], monitor_image_sha256[];

const u8 *mon_image_hash(void)
{
	return monitor_image_sha256;
}

/*
 * The gate is the image's first page. What the module executes must be the
 * same bytes: the kernel has patched nothing in it, and both are of one build.
 */
static int map_gate(void *first_page)
{
	if (memcmp(first_page, gate_page, PAGE_SIZE)) {
		pr_err(MON_LOG "the gate in the module's text is not the image's: rebuild the module\n");
		return -ENOEXEC;
	}
	return mon_map((u64)gate_page, __pa(first_page), PAGE_SIZE, false, true);
}

static int load_segment(const Elf64_Phdr *ph)
{
	unsigned int pages = PAGE_ALIGN(ph->p_memsz) >> PAGE_SHIFT;
	size_t size = monitor_image_end - monitor_image_start;
	void *mem;
	int err;

	if (ph->p_offset > size || ph->p_filesz > size - ph->p_offset ||
	    ph->p_filesz > ph->p_memsz || !PAGE_ALIGNED(ph->p_vaddr) ||
	    ph->p_vaddr < MON_VA_IMAGE || ph->p_vaddr >= MON_VA_FRAME_TABLE)
		return -ENOEXEC;
	mem = mon_alloc_pages(pages);
	if (!mem)
		return -ENOMEM;
	memcpy(mem, monitor_image_start + ph->p_offset, ph->p_filesz);
	if (ph->p_vaddr == MON_VA_IMAGE) {
		err = map_gate(mem);
		if (err)
			return err;
	}
	return mon_map(ph->p_vaddr, __pa(mem), (u64)pages << PAGE_SHIFT, ph->p_flags & PF_W,
		       ph->p_flags & PF_X);
}

int mon_image_load(u64 *entry)
{
	const Elf64_Ehdr *eh = (const void *)monitor_image_start;
	const Elf64_Phdr *ph = (const void *)monitor_image_start + eh->e_phoff;
	unsigned int i;
	int err;

	*entry = eh->e_entry;
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_machine != EM_X86_64 ||
	    eh->e_type != ET_EXEC)
		return -ENOEXEC;
	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD || !ph[i].p_memsz)
			continue;
		err = load_segment(&ph[i]);
		if (err)
			return err;
	}
	return 0;
}
