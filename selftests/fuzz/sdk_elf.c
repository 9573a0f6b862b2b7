// SPDX-License-Identifier: GPL-2.0-only
/* needs: tools/sdk/host/elf.c tools/sdk/host/error.c tools/sdk/host/image.c */
/* cflags: -D_GNU_SOURCE -Itools/sdk/host -Itools/sdk/include -lcrypto */
/*
 * An enclave's file. The input changes words of a good one, that is made here: 10 bytes each, a
 * place and 8 bytes for it. Without a beginning that is right, nothing happens.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define FILE_SIZE 0x4000
#define WORDS 64

struct file {
	Elf64_Ehdr head;
	Elf64_Phdr segment[5];
	unsigned char unused[0x1000 - sizeof(Elf64_Ehdr) - 5 * sizeof(Elf64_Phdr)];
	unsigned char code[0x1000];
	struct mon_enclave_note note;
	Elf64_Dyn dynamic[4];
	Elf64_Rela relocation[4];
	unsigned char rest[0x2000 - sizeof(struct mon_enclave_note) - 4 * sizeof(Elf64_Dyn) -
			   4 * sizeof(Elf64_Rela)];
};

_Static_assert(sizeof(struct file) == FILE_SIZE, "whole pages");

#define BASE 0x10000000ULL
#define AT(member) offsetof(struct file, member)
#define SEGMENT(type_, flags_, at_, size_)                                          \
	{                                                                           \
		.p_type = type_, .p_flags = flags_, .p_offset = at_,                \
		.p_vaddr = BASE - 0x1000 + (at_), .p_filesz = size_, .p_memsz = size_ \
	}

static const struct file good = {
	.head = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		  .e_type = ET_DYN,
		  .e_machine = EM_X86_64,
		  .e_version = EV_CURRENT,
		  .e_entry = BASE,
		  .e_phoff = sizeof(Elf64_Ehdr),
		  .e_ehsize = sizeof(Elf64_Ehdr),
		  .e_phentsize = sizeof(Elf64_Phdr),
		  .e_phnum = 5 },
	.segment = { SEGMENT(PT_LOAD, PF_R | PF_X, 0x1000, 0x1000),
		     SEGMENT(PT_LOAD, PF_R | PF_W, 0x2000, 0x2000),
		     SEGMENT(PT_NOTE, PF_R, AT(note), sizeof(struct mon_enclave_note)),
		     SEGMENT(PT_DYNAMIC, PF_R, AT(dynamic), 4 * sizeof(Elf64_Dyn)),
		     { .p_type = PT_NULL } },
	.note = { .name_size = 12,
		  .size = sizeof(struct mon_enclave_config),
		  .type = MON_NOTE_TYPE,
		  .name = MON_NOTE_NAME },
	.dynamic = { { DT_RELA, { BASE + AT(relocation) - 0x1000 } },
		     { DT_RELASZ, { 4 * sizeof(Elf64_Rela) } },
		     { DT_RELAENT, { sizeof(Elf64_Rela) } } },
	.relocation = { { BASE + 0x1800, R_X86_64_RELATIVE, BASE } },
};

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_image(const struct mon_image *image)
{
	const struct mon_enclave_policy *p = &image->policy;
	unsigned int i;

	check(image->nr_pages && image->nr_pages <= MON_IMAGE_PAGES_MAX);
	check(p->entry >= p->range[0].start && p->entry < p->range[0].end);
	check(image->note_at >= image->base && image->note_at < p->range[0].end);
	for (i = 0; i < p->nr_ranges; i++) {
		check(p->range[i].start < p->range[i].end);
		check(!(p->range[i].start % MON_PAGE) && !(p->range[i].end % MON_PAGE));
		check(!i || p->range[i].start >= p->range[i - 1].end);
	}
	check(p->range[0].start >= MON_ENCLAVE_LOW && p->range[i - 1].end <= MON_ENCLAVE_HIGH);
	for (i = 0; i < image->nr_pages; i++)
		check((image->perm[i] & 6) != 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	unsigned char *file = malloc(FILE_SIZE); /* its end is watched */
	struct mon_image image;
	size_t i;

	memcpy(file, &good, FILE_SIZE);
	for (i = 0; i + 10 <= size && i < 10 * WORDS; i += 10) {
		size_t at = (bytes[i] | bytes[i + 1] << 8) % (2 * FILE_SIZE / 8);

		/* half of them in the headers, and what is at the begin of the data */
		at = at < FILE_SIZE / 8 ? 8 * at : at % 2 ? at % 336 : 0x2000 + at % 264;
		memcpy(file + (at > FILE_SIZE - 8 ? FILE_SIZE - 8 : at), bytes + i + 2,
		       1 + bytes[i] % 8);
	}
	if (!mon_image_load(&image, file, size % 2 ? FILE_SIZE : FILE_SIZE - size % 64, 0)) {
		check_image(&image);
		mon_image_free(&image);
	} else {
		check(mon_error()[0]);
	}
	free(file);
	return 0;
}
