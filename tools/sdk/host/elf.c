// SPDX-License-Identifier: GPL-2.0-only
/*
 * An enclave's file, which anybody may have written. All it says is checked before it is used,
 * and it can make this use no more memory than MON_FILE_MAX.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define SEGMENTS_MAX 32
#define RELOCATIONS_MAX (1u << 20)

struct reader {
	const unsigned char *file;
	uint64_t size;
	uint64_t bias;
	struct mon_image *image;
	Elf64_Ehdr head;
	Elf64_Phdr segment[SEGMENTS_MAX];
};

static int check_identity(const struct reader *r)
{
	const Elf64_Ehdr *h = &r->head;

	if (memcmp(h->e_ident, ELFMAG, SELFMAG))
		return mon_fail("this is no ELF file: it begins with %02x %02x %02x %02x",
				h->e_ident[0], h->e_ident[1], h->e_ident[2], h->e_ident[3]);
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return mon_fail("it is not of 64 bits, little endian: class %u, data %u; build it "
				"with enclave.mk",
				h->e_ident[EI_CLASS], h->e_ident[EI_DATA]);
	if (h->e_ident[EI_VERSION] != EV_CURRENT || h->e_version != EV_CURRENT)
		return mon_fail("unknown version of ELF: %u, %u", h->e_ident[EI_VERSION],
				h->e_version);
	if (h->e_ident[EI_OSABI] != ELFOSABI_NONE && h->e_ident[EI_OSABI] != ELFOSABI_GNU)
		return mon_fail("it is for another system: OS ABI %u", h->e_ident[EI_OSABI]);
	if (h->e_machine != EM_X86_64)
		return mon_fail("it is for another CPU: machine %u, not %u (x86-64)", h->e_machine,
				EM_X86_64);
	/* Linkers say "executable" of one that was linked for an address. */
	if (h->e_type != ET_DYN && h->e_type != ET_EXEC)
		return mon_fail("it is of ELF type %u, not %u or %u (a static PIE); link it with "
				"enclave.lds",
				h->e_type, ET_DYN, ET_EXEC);
	return 0;
}

static int read_head(struct reader *r)
{
	const Elf64_Ehdr *h = &r->head;

	if (r->size < sizeof(*h))
		return mon_fail("it has %" PRIu64 " bytes: too short for an ELF file", r->size);
	if (r->size > MON_FILE_MAX)
		return mon_fail("it has %" PRIu64 " bytes; the most is %llu", r->size,
				MON_FILE_MAX);
	memcpy(&r->head, r->file, sizeof(*h));
	if (check_identity(r))
		return -1;
	if (h->e_ehsize != sizeof(*h) || h->e_phentsize != sizeof(Elf64_Phdr))
		return mon_fail("its headers have the wrong sizes: %u and %u bytes, not %zu and "
				"%zu",
				h->e_ehsize, h->e_phentsize, sizeof(*h), sizeof(Elf64_Phdr));
	if (!h->e_phnum || h->e_phnum > SEGMENTS_MAX)
		return mon_fail("it has %u program headers; 1 to %u are possible", h->e_phnum,
				SEGMENTS_MAX);
	if (h->e_phoff > r->size || h->e_phnum * sizeof(Elf64_Phdr) > r->size - h->e_phoff)
		return mon_fail("its program headers, at %#" PRIx64 ", are not in the file of "
								    "%" PRIu64 " bytes",
				h->e_phoff, r->size);
	memcpy(r->segment, r->file + h->e_phoff, h->e_phnum * sizeof(Elf64_Phdr));
	return 0;
}

static int check_load(const struct reader *r, const Elf64_Phdr *p, uint64_t end)
{
	if (p->p_filesz > p->p_memsz)
		return mon_fail("the segment at %#" PRIx64 " has more bytes in the file, %" PRIu64
				", than in memory, %" PRIu64,
				p->p_vaddr, p->p_filesz, p->p_memsz);
	if (p->p_offset > r->size || p->p_filesz > r->size - p->p_offset)
		return mon_fail("the segment at %#" PRIx64 " is not in the file: %" PRIu64
				" bytes at %#" PRIx64,
				p->p_vaddr, p->p_filesz, p->p_offset);
	if (p->p_vaddr % MON_PAGE)
		return mon_fail("the segment at %#" PRIx64 " does not begin with a page; link with "
							   "enclave.lds",
				p->p_vaddr);
	if (p->p_vaddr < MON_ENCLAVE_LOW || p->p_vaddr >= MON_ENCLAVE_HIGH ||
	    p->p_memsz > MON_ENCLAVE_HIGH - p->p_vaddr)
		return mon_fail("the segment at %#" PRIx64 ", of %" PRIu64 " bytes, is not between "
									   "%#llx and %#llx",
				p->p_vaddr, p->p_memsz, MON_ENCLAVE_LOW, MON_ENCLAVE_HIGH);
	if (p->p_vaddr < end)
		return mon_fail("the segment at %#" PRIx64 " begins before the one in front ends, "
							   "at %#" PRIx64,
				p->p_vaddr, end);
	if (p->p_flags & ~(PF_R | PF_W | PF_X) || !(p->p_flags & PF_R))
		return mon_fail("the segment at %#" PRIx64 " has the flags %#x: it has to be "
							   "readable",
				p->p_vaddr, p->p_flags);
	if ((p->p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
		return mon_fail("the segment at %#" PRIx64 " can be written and executed",
				p->p_vaddr);
	return 0;
}

/* What is there besides memory. */
static int check_other(const Elf64_Phdr *p)
{
	switch (p->p_type) {
	case PT_NULL:
	case PT_LOAD:
	case PT_DYNAMIC:
	case PT_NOTE:
	case PT_PHDR:
	case PT_GNU_EH_FRAME:
	case PT_GNU_RELRO:
	case PT_GNU_PROPERTY:
		return 0;
	case PT_GNU_STACK:
		return p->p_flags & PF_X ? mon_fail("it wants its stack executable") : 0;
	case PT_INTERP:
		return mon_fail("it needs a dynamic linker; link it with -static-pie");
	case PT_TLS:
		return mon_fail("it has thread-local variables (__thread), which an enclave cannot "
				"have");
	}
	return mon_fail("it has a segment of unknown type %#x", p->p_type);
}

/* Where it begins and ends in memory. */
static int find_extent(struct reader *r)
{
	struct mon_image *image = r->image;
	uint64_t end = 0;
	unsigned int i;

	for (i = 0; i < r->head.e_phnum; i++) {
		const Elf64_Phdr *p = &r->segment[i];

		if (check_other(p))
			return -1;
		if (p->p_type != PT_LOAD || !p->p_memsz)
			continue;
		if (check_load(r, p, end))
			return -1;
		if (!end)
			image->base = p->p_vaddr;
		end = MON_ALIGN(p->p_vaddr + p->p_memsz, MON_PAGE);
	}
	if (!end)
		return mon_fail("it has no segment with memory");
	image->nr_pages = (end - image->base) / MON_PAGE;
	if (image->nr_pages > MON_IMAGE_PAGES_MAX)
		return mon_fail("it is %llu pages long; the most is %llu (heap is not part of the "
				"file)",
				image->nr_pages, MON_IMAGE_PAGES_MAX);
	return 0;
}

static int copy_segments(struct reader *r)
{
	struct mon_image *image = r->image;
	unsigned int i;

	image->page = aligned_alloc(MON_PAGE, image->nr_pages * MON_PAGE);
	image->perm = calloc(image->nr_pages, 1);
	if (!image->page || !image->perm)
		return mon_fail("no memory for %llu pages", image->nr_pages);
	memset(image->page, 0, image->nr_pages * MON_PAGE);
	for (i = 0; i < r->head.e_phnum; i++) {
		const Elf64_Phdr *p = &r->segment[i];
		uint64_t at = p->p_vaddr - image->base;
		unsigned int perm = MON_ENCLAVE_READ;

		if (p->p_type != PT_LOAD || !p->p_memsz)
			continue;
		memcpy(image->page + at, r->file + p->p_offset, p->p_filesz);
		if (p->p_flags & PF_W)
			perm |= MON_ENCLAVE_WRITE;
		if (p->p_flags & PF_X)
			perm |= MON_ENCLAVE_EXEC;
		memset(image->perm + at / MON_PAGE, perm,
		       MON_ALIGN(p->p_memsz, MON_PAGE) / MON_PAGE);
	}
	return 0;
}

/* Of memory, which all has the same permission; or NULL. */
static unsigned char *at(const struct mon_image *image, uint64_t address, uint64_t size)
{
	uint64_t offset = address - image->base, i;

	if (address < image->base || !size || offset >= image->nr_pages * MON_PAGE ||
	    size > image->nr_pages * MON_PAGE - offset)
		return NULL;
	for (i = offset / MON_PAGE; i <= (offset + size - 1) / MON_PAGE; i++)
		if (!image->perm[i] || image->perm[i] != image->perm[offset / MON_PAGE])
			return NULL;
	return image->page + offset;
}

static int relocate(const struct reader *r, const Elf64_Rela *rela)
{
	const struct mon_image *image = r->image;
	unsigned char *to = at(image, rela->r_offset, 8);
	uint64_t value = rela->r_addend + r->bias;

	if (rela->r_info == R_X86_64_NONE)
		return 0;
	if (rela->r_info != R_X86_64_RELATIVE)
		return mon_fail("a relocation at %#" PRIx64 " is of type %" PRIu64 ", symbol "
										   "%" PRIu64
				": only R_X86_64_RELATIVE is possible; is something undefined?",
				rela->r_offset, ELF64_R_TYPE(rela->r_info),
				ELF64_R_SYM(rela->r_info));
	if (!to)
		return mon_fail("a relocation is at %#" PRIx64 ", where no segment is",
				rela->r_offset);
	if (image->perm[(rela->r_offset - image->base) / MON_PAGE] & MON_ENCLAVE_EXEC)
		return mon_fail("a relocation is in code, at %#" PRIx64 "; compile with -fPIE",
				rela->r_offset);
	if ((uint64_t)rela->r_addend < image->base ||
	    (uint64_t)rela->r_addend > image->base + image->nr_pages * MON_PAGE)
		return mon_fail("a relocation at %#" PRIx64 " points outside, to %#" PRIx64,
				rela->r_offset, (uint64_t)rela->r_addend);
	memcpy(to, &value, sizeof(value));
	return 0;
}

static int relocate_all(const struct reader *r, uint64_t address, uint64_t size)
{
	const unsigned char *table;
	Elf64_Rela *copy;
	uint64_t i;
	int result = 0;

	if (!size)
		return 0;
	table = at(r->image, address, size);
	if (!table || size % sizeof(*copy) || size / sizeof(*copy) > RELOCATIONS_MAX)
		return mon_fail("its relocations, %" PRIu64 " bytes at %#" PRIx64 ", are not in a "
										  "segment, not "
										  "whole, or too "
										  "many",
				size, address);
	copy = malloc(size);
	if (!copy)
		return mon_fail("no memory for its relocations");
	memcpy(copy, table, size); /* one might be on another */
	for (i = 0; i < size / sizeof(*copy) && !result; i++)
		result = relocate(r, &copy[i]);
	free(copy);
	return result;
}

static int check_dynamic(const Elf64_Dyn *d)
{
	switch (d->d_tag) {
	case DT_NEEDED:
		return mon_fail("it needs a shared library; link it with -static-pie -nostdlib");
	case DT_TEXTREL:
		return mon_fail("it has relocations in code; compile with -fPIE");
	case DT_REL:
	case DT_RELR:
	case DT_JMPREL:
		return mon_fail("it has relocations of an unknown kind (dynamic tag %" PRIi64 ")",
				(int64_t)d->d_tag);
	case DT_INIT:
	case DT_INIT_ARRAY:
	case DT_PREINIT_ARRAY:
		return mon_fail("it has constructors, which nobody would call");
	case DT_RELAENT:
		return d->d_un.d_val == sizeof(Elf64_Rela)
			       ? 0
			       : mon_fail("its relocations have %" PRIu64 " bytes each, not %zu",
					  d->d_un.d_val, sizeof(Elf64_Rela));
	}
	return 0;
}

static int read_dynamic(const struct reader *r, const Elf64_Phdr *p)
{
	const unsigned char *table = at(r->image, p->p_vaddr, p->p_memsz);
	uint64_t address = 0, size = 0, i;
	Elf64_Dyn d;

	if (!table)
		return mon_fail("its dynamic section, at %#" PRIx64 ", is in no segment",
				p->p_vaddr);
	for (i = 0; i < p->p_memsz / sizeof(d); i++) {
		memcpy(&d, table + i * sizeof(d), sizeof(d));
		if (d.d_tag == DT_NULL)
			break;
		if (check_dynamic(&d))
			return -1;
		if (d.d_tag == DT_RELA)
			address = d.d_un.d_val;
		if (d.d_tag == DT_RELASZ)
			size = d.d_un.d_val;
	}
	return relocate_all(r, address, size);
}

static int read_note(const struct reader *r, const Elf64_Phdr *p)
{
	struct mon_image *image = r->image;
	const unsigned char *from = at(image, p->p_vaddr, p->p_memsz);
	struct mon_enclave_note note;

	if (!from || p->p_memsz < sizeof(note))
		return 0;
	memcpy(&note, from, sizeof(note));
	if (note.name_size != sizeof(note.name) ||
	    memcmp(note.name, MON_NOTE_NAME, sizeof(note.name)))
		return 0;
	if (note.type != MON_NOTE_TYPE || note.size != sizeof(note.config))
		return mon_fail("its configuration is of another version of the SDK: type %u, %u "
				"bytes",
				note.type, note.size);
	if (image->note_at)
		return mon_fail("it has two configurations, at %#llx and %#" PRIx64, image->note_at,
				p->p_vaddr);
	image->note_at = p->p_vaddr + offsetof(struct mon_enclave_note, config);
	image->config = note.config;
	return 0;
}

static int read_all(struct reader *r)
{
	struct mon_image *image = r->image;
	unsigned int i, dynamics = 0;

	if (read_head(r) || find_extent(r) || copy_segments(r))
		return -1;
	for (i = 0; i < r->head.e_phnum; i++) {
		const Elf64_Phdr *p = &r->segment[i];

		if (p->p_type == PT_NOTE && read_note(r, p))
			return -1;
		if (p->p_type == PT_DYNAMIC && dynamics++)
			return mon_fail("it has two dynamic sections");
	}
	if (!dynamics)
		return mon_fail("it has no dynamic section; link it with -static-pie");
	if (!image->note_at)
		return mon_fail("it has no configuration: it is no enclave, or was not linked with "
				"enclave.lds");
	for (i = 0; i < r->head.e_phnum; i++)
		if (r->segment[i].p_type == PT_DYNAMIC && read_dynamic(r, &r->segment[i]))
			return -1;
	image->entry = r->head.e_entry;
	if (!at(image, image->entry, 2 * MON_HANDLER_OFFSET) ||
	    !(image->perm[(image->entry - image->base) / MON_PAGE] & MON_ENCLAVE_EXEC))
		return mon_fail("its entry, %#llx, is not in code", image->entry);
	image->base += r->bias;
	image->entry += r->bias;
	image->note_at += r->bias;
	return 0;
}

int mon_image_load(struct mon_image *image, const void *file, size_t size, unsigned long long bias)
{
	struct reader r = { .file = file, .size = size, .bias = bias, .image = image };

	memset(image, 0, sizeof(*image));
	if (!read_all(&r) && !mon_image_configure(image))
		return 0;
	mon_image_free(image);
	return -1;
}

void mon_image_free(struct mon_image *image)
{
	free(image->page);
	free(image->perm);
	memset(image, 0, sizeof(*image));
}
