// SPDX-License-Identifier: GPL-2.0-only
/* From an enclave's configuration to what the monitor is told; and the measurement of it all. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

static int check_config(const struct mon_enclave_config *c)
{
	if (c->heap > MON_HEAP_MAX)
		return mon_fail("its .heap is %llu bytes; the most is %llu", c->heap, MON_HEAP_MAX);
	if (c->stack &&
	    (c->stack < MON_STACK_MIN || c->stack > MON_STACK_MAX || c->stack & (c->stack - 1)))
		return mon_fail("its .stack is %llu bytes; it has to be a power of two from %llu "
				"to %llu",
				c->stack, MON_STACK_MIN, MON_STACK_MAX);
	if (c->threads > MON_ENCLAVE_MAX_THREADS)
		return mon_fail("its .threads are %u; the most is %u", c->threads,
				MON_ENCLAVE_MAX_THREADS);
	if (c->buffer_pages > MON_ENCLAVE_BUFFER_PAGES_MAX ||
	    (c->buffer_pages ? c->buffer_pages : 16) * (c->threads ? c->threads : 4) >
		    MON_ENCLAVE_BUFFER_PAGES_MAX)
		return mon_fail("its .buffer_pages are %u for each of %u threads; the most for all "
				"is %u",
				c->buffer_pages, c->threads, MON_ENCLAVE_BUFFER_PAGES_MAX);
	if (c->shared_pages > MON_SHARED_PAGES_MAX)
		return mon_fail("its .shared_pages are %llu; the most is %llu", c->shared_pages,
				MON_SHARED_PAGES_MAX);
	if (c->debug > 1 || c->exceptions > 1)
		return mon_fail("its .debug is %u, its .exceptions %u; either is 0 or 1", c->debug,
				c->exceptions);
	if (c->simulation)
		return mon_fail("its .simulation is set; that is for this library alone");
	return 0;
}

static void add_range(struct mon_enclave_policy *p, uint64_t start, uint64_t end, unsigned int type)
{
	p->range[p->nr_ranges].start = start;
	p->range[p->nr_ranges].end = end;
	p->range[p->nr_ranges++].type = type;
}

int mon_image_configure(struct mon_image *image)
{
	const struct mon_enclave_config *c = &image->config;
	struct mon_enclave_policy *p = &image->policy;
	struct mon_layout *l = &image->layout;
	uint64_t end = image->base + image->nr_pages * MON_PAGE;

	if (check_config(c))
		return -1;
	mon_layout(c, end, l);
	if (l->shared_end > MON_ENCLAVE_HIGH)
		return mon_fail("with heap and stacks it ends at %#llx, behind %#llx; make .heap "
				"smaller",
				l->shared_end, MON_ENCLAVE_HIGH);
	memset(p, 0, sizeof(*p));
	p->version = MON_ENCLAVE_POLICY_VERSION;
	p->nr_threads = l->threads;
	p->flags = c->debug ? MON_ENCLAVE_DEBUG : 0;
	add_range(p, image->base, end, MON_ENCLAVE_PAGES);
	add_range(p, l->heap, l->heap_end, MON_ENCLAVE_ZERO);
	add_range(p, l->stacks, l->stacks_end, MON_ENCLAVE_ZERO);
	add_range(p, l->buffer, l->buffer_end, MON_ENCLAVE_BUFFER);
	if (c->shared_pages)
		add_range(p, l->shared, l->shared_end, MON_ENCLAVE_SHARED);
	p->entry = image->entry;
	p->handler = c->exceptions ? image->entry + MON_HANDLER_OFFSET : 0;
	p->stacks = l->stacks;
	p->stack_size = l->stack;
	p->product = c->product;
	p->security_version = c->security_version;
	return 0;
}

int mon_image_read(struct mon_image *image, const char *path, unsigned long long bias)
{
	FILE *file = fopen(path, "re");
	unsigned char *data = NULL;
	long size = -1;
	int result;

	memset(image, 0, sizeof(*image));
	if (!file)
		return mon_fail("%s: %s", path, strerror(errno));
	if (!fseek(file, 0, SEEK_END))
		size = ftell(file);
	rewind(file);
	if (size >= 0 && (uint64_t)size <= MON_FILE_MAX)
		data = malloc(size + 1);
	if (!data || fread(data, 1, size, file) != (size_t)size)
		result = mon_fail("%s: cannot read it, or it is larger than %llu bytes", path,
				  MON_FILE_MAX);
	else if (mon_image_load(image, data, size, bias))
		result = mon_fail("%s: %s", path, strdupa(mon_error()));
	else
		result = 0;
	free(data);
	fclose(file);
	return result;
}

static int hash_page(EVP_MD_CTX *hash, uint64_t address, uint64_t perm, const void *page)
{
	uint64_t head[2] = { address, perm }; /* little endian, as all that runs this */

	return EVP_DigestUpdate(hash, head, sizeof(head)) && EVP_DigestUpdate(hash, page, MON_PAGE);
}

int mon_image_measure(const struct mon_image *image, unsigned char out[32])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	uint64_t i;
	int good = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) &&
		   EVP_DigestUpdate(hash, &image->policy, sizeof(image->policy));

	for (i = 0; i < image->nr_pages && good; i++)
		if (image->perm[i])
			good = hash_page(hash, image->base + i * MON_PAGE, image->perm[i],
					 image->page + i * MON_PAGE);
	good = good && EVP_DigestFinal_ex(hash, out, NULL);
	EVP_MD_CTX_free(hash);
	return good ? 0 : mon_fail("OpenSSL cannot compute SHA-256");
}

int mon_inspect(const char *path, struct mon_enclave_file *file)
{
	struct mon_image image;
	uint64_t i;
	int result;

	memset(file, 0, sizeof(*file));
	if (mon_image_read(&image, path, 0))
		return -1;
	file->policy = image.policy;
	file->config = image.config;
	for (i = 0; i < image.nr_pages; i++)
		file->pages += image.perm[i] != 0;
	result = mon_image_measure(&image, file->measurement);
	mon_image_free(&image);
	return result;
}

int mon_measure(const char *path, unsigned char measurement[32])
{
	struct mon_enclave_file file;
	int result = mon_inspect(path, &file);

	memcpy(measurement, file.measurement, sizeof(file.measurement));
	return result;
}
