// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulation: the same file, at the same addresses if they are free, entered and left in the same
 * way; but in this process, which can read all of it. No report of it is ever believed.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "lms.h"
#include "sim.h"

#define BIAS_STEP (1ULL << 30)
#define BIAS_MAX (24 * BIAS_STEP)

static int prot_of(unsigned long perm)
{
	return (perm & MON_ENCLAVE_READ ? PROT_READ : 0) |
	       (perm & MON_ENCLAVE_WRITE ? PROT_WRITE : 0) |
	       (perm & MON_ENCLAVE_EXEC ? PROT_EXEC : 0);
}

static void protect(struct mon_sim *sim, uint64_t from, uint64_t end, int prot)
{
	if (mprotect(sim->memory + (from - sim->image.base), end - from, prot))
		abort();
}

static void protect_all(struct mon_sim *sim)
{
	const struct mon_layout *l = &sim->image.layout;
	const struct mon_image *image = &sim->image;
	uint64_t i;

	for (i = 0; i < image->nr_pages; i++)
		protect(sim, image->base + i * MON_PAGE, image->base + (i + 1) * MON_PAGE,
			prot_of(image->perm[i]));
	protect(sim, l->heap, l->heap_end, PROT_READ | PROT_WRITE);
	for (i = l->stacks; i < l->stacks_end; i += l->stack)
		protect(sim, i + MON_PAGE, i + l->stack, PROT_READ | PROT_WRITE);
	protect(sim, l->buffer, l->buffer_end, PROT_READ | PROT_WRITE);
}

/* Another enclave may be where this wants to be: it is moved, by its relocations. */
static int find_place(struct mon_sim *sim, const char *path)
{
	uint64_t bias;

	for (bias = 0; bias <= BIAS_MAX; bias += BIAS_STEP) {
		mon_image_free(&sim->image);
		if (mon_image_read(&sim->image, path, bias))
			return -1;
		if (!bias && mon_image_measure(&sim->image, sim->measurement))
			return -1;
		sim->size = sim->image.layout.buffer_end - sim->image.base;
		sim->memory =
			mmap((void *)sim->image.base, sim->size, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
			     0);
		if (sim->memory == (void *)sim->image.base)
			return 0;
		if (sim->memory != MAP_FAILED)
			munmap(sim->memory, sim->size);
		sim->memory = NULL;
	}
	return mon_fail("%s: no room for %zu bytes in this process; make .heap smaller", path,
			sim->size);
}

int mon_sim_open(struct mon_enclave *mon, const char *path)
{
	struct mon_sim *sim = calloc(1, sizeof(*sim));
	unsigned long hook = (unsigned long)mon_sim_hook;
	const struct mon_layout *l;
	unsigned int i;

	mon->sim = sim;
	if (!sim)
		return mon_fail("no memory");
	if (find_place(sim, path))
		return -1;
	l = &sim->image.layout;
	memcpy(sim->image.page + (sim->image.note_at - sim->image.base) +
		       offsetof(struct mon_enclave_config, simulation),
	       &hook, sizeof(hook));
	protect(sim, sim->image.base, sim->image.base + sim->image.nr_pages * MON_PAGE,
		PROT_READ | PROT_WRITE);
	memcpy(sim->memory, sim->image.page, sim->image.nr_pages * MON_PAGE);
	protect_all(sim);
	for (i = 0; i < l->threads; i++) {
		sim->thread[i].handler = sim->image.policy.handler;
		sim->thread[i].fault = (void *)(l->stacks + (i + 1) * l->stack - MON_PAGE +
						MON_ENCLAVE_FAULT_OFFSET);
	}
	mon->layout = *l;
	mon->buffer = (void *)l->buffer;
	return 0;
}

void mon_sim_close(struct mon_enclave *mon)
{
	if (mon->sim->memory)
		munmap(mon->sim->memory, mon->sim->size);
	mon_image_free(&mon->sim->image);
	free(mon->sim);
}

static long self(const struct mon_sim *sim, struct mon_enclave_self *s, unsigned int thread)
{
	const struct mon_layout *l = &sim->image.layout;

	memset(s, 0, sizeof(*s));
	memcpy(s->measurement, sim->measurement, sizeof(s->measurement));
	s->buffer = l->buffer;
	s->buffer_size = l->buffer_end - l->buffer;
	s->thread = thread;
	s->flags = sim->image.policy.flags;
	s->owned = s->limit = sim->size / MON_PAGE;
	return 0;
}

/* Without a seal, so that nobody believes it; this neither: MON_EC_VERIFY always says no. */
static long report(const struct mon_sim *sim, struct mon_enclave_report *r)
{
	memcpy(r->measurement, sim->measurement, sizeof(r->measurement));
	r->version = MON_ENCLAVE_POLICY_VERSION;
	r->flags = sim->image.policy.flags;
	r->product = sim->image.policy.product;
	r->security_version = sim->image.policy.security_version;
	memset(r->image_hash, 0, sizeof(r->image_hash));
	memcpy(r->signer, sim->signer, sizeof(r->signer));
	memset(r->seal, 0, sizeof(r->seal));
	return 0;
}

/* Anybody can compute it. */
static long key(const struct mon_sim *sim, struct mon_enclave_key *k)
{
	static const char name[] = "simulation: no secret";
	unsigned char all[sizeof(name) + 64];

	memcpy(all, name, sizeof(name));
	memcpy(all + sizeof(name), sim->measurement, 32);
	memcpy(all + sizeof(name) + 32, k->label, 32);
	return EVP_Digest(all, sizeof(all), k->key, NULL, EVP_sha256(), NULL) ? 0 : -MON_ENOMEM;
}

static long set_signer(struct mon_sim *sim, const struct mon_enclave_signature *s)
{
	unsigned char signer[32];

	if (lms_signer(s, sim->measurement, signer))
		return -MON_EPERM;
	memcpy(sim->signer, signer, sizeof(sim->signer));
	return 0;
}

static long signer_key(const struct mon_sim *sim, struct mon_enclave_signer_key *k)
{
	static const unsigned char none[32];
	struct {
		char name[32];
		unsigned char signer[32];
		unsigned int product, security_version, flags;
		unsigned char label[32];
	} all = { .name = "simulation: signed, no secret",
		  .product = sim->image.policy.product,
		  .security_version = k->security_version,
		  .flags = sim->image.policy.flags };

	if (k->reserved)
		return -MON_EINVAL;
	if (k->security_version > sim->image.policy.security_version ||
	    !memcmp(sim->signer, none, sizeof(none)))
		return -MON_EPERM;
	memcpy(all.signer, sim->signer, sizeof(all.signer));
	memcpy(all.label, k->label, sizeof(all.label));
	return EVP_Digest(&all, sizeof(all), k->key, NULL, EVP_sha256(), NULL) ? 0 : -MON_ENOMEM;
}

/* What the monitor refuses of places is not refused here, but what is none of the enclave's. */
static long change(const struct mon_sim *sim, const struct sim_thread *t)
{
	const unsigned long both = MON_ENCLAVE_WRITE | MON_ENCLAVE_EXEC;
	unsigned long from = t->a - (unsigned long)sim->memory;

	if (!(t->c & MON_ENCLAVE_READ) || (t->c & ~(MON_ENCLAVE_READ | both)) ||
	    (t->c & both) == both || !t->b || t->b > MON_ENCLAVE_PROTECT_MAX ||
	    from >= sim->size || t->b * MON_PAGE > sim->size - from)
		return -MON_EINVAL;
	return mprotect((void *)t->a, t->b * MON_PAGE, prot_of(t->c)) ? -MON_EINVAL : 0;
}

static long answer(struct mon_sim *sim, const struct sim_thread *t, unsigned int thread)
{
	switch (t->call) {
	case MON_EC_SELF:
		return self(sim, (void *)t->a, thread);
	case MON_EC_REPORT:
		return report(sim, (void *)t->a);
	case MON_EC_VERIFY:
		return -MON_EPERM;
	case MON_EC_KEY:
		return key(sim, (void *)t->a);
	case MON_EC_SIGNER:
		return set_signer(sim, (void *)t->a);
	case MON_EC_SIGNER_KEY:
		return signer_key(sim, (void *)t->a);
	case MON_EC_COUNTER:
		return mon_sim_count(sim, (void *)t->a);
	case MON_EC_TRIM:
		return madvise((void *)t->a, t->b * MON_PAGE, MADV_DONTNEED) ? -MON_EINVAL : 0;
	case MON_EC_PROTECT:
		return change(sim, t);
	case MON_EC_OFFER:
	case MON_EC_ACCEPT:
	case MON_EC_SHARE_END:
		return -MON_ENOSYS;
	}
	return -MON_EINVAL;
}

static int go_on(struct sim_thread *t, unsigned long answer)
{
	int fell;

	t->inside = 1;
	fell = mon_sim_go_on(&t->host_sp, t->enclave_sp, answer);
	t->inside = 0;
	return fell;
}

static int start(const struct mon_sim *sim, struct sim_thread *t, const struct mon_enclave_run *run)
{
	unsigned char *page = (unsigned char *)t->fault - MON_ENCLAVE_FAULT_OFFSET;
	int fell;

	t->inside = 1;
	fell = mon_sim_start(&t->host_sp, page, sim->image.policy.entry, run->value[0],
			     run->value[1], run->thread);
	t->inside = 0;
	return fell;
}

static void set_exit(struct mon_enclave_run *run, unsigned int exit, unsigned long a,
		     unsigned long b)
{
	run->exit = exit;
	run->value[0] = a;
	run->value[1] = b;
}

/* Until the process has to do something. */
static void run_thread(struct mon_sim *sim, struct sim_thread *t, struct mon_enclave_run *run)
{
	int fell;

	if (run->op == MON_ENCLAVE_CALL)
		fell = start(sim, t, run);
	else
		fell = go_on(t, run->value[0]);
	while (!fell && t->call != MON_EC_RETURN && t->call != MON_EC_OCALL)
		fell = go_on(t, answer(sim, t, run->thread));
	t->handling = fell ? 0 : t->handling;
	if (fell) {
		t->state = SIM_ENDED;
		set_exit(run, MON_ENCLAVE_FAULTED, t->vector, t->page);
	} else if (t->call == MON_EC_OCALL) {
		t->state = SIM_CALLS;
		set_exit(run, MON_ENCLAVE_OCALL, t->a, t->b);
	} else {
		t->state = SIM_IDLE;
		set_exit(run, MON_ENCLAVE_RETURNED, t->a, 0);
	}
}

int mon_sim_run(struct mon_enclave *mon, struct mon_enclave_run *run)
{
	struct sim_thread *t = &mon->sim->thread[run->thread], *before = mon_sim_current;

	if (mon_sim_catch())
		return -1;
	if (t->state != (run->op == MON_ENCLAVE_CALL ? SIM_IDLE : SIM_CALLS))
		return mon_fail("%s: thread %u does not wait for this", mon->path, run->thread);
	mon_sim_current = t;
	run_thread(mon->sim, t, run);
	mon_sim_current = before;
	return 0;
}
