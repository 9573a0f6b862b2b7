/* SPDX-License-Identifier: GPL-2.0-only */
/* What an enclave's code can use, besides string.h, stdlib.h and stdio.h of this folder. */
#ifndef _MON_ENCLAVE_H
#define _MON_ENCLAVE_H

#include <stddef.h>
#include <stdint.h>
#include "mon_image.h"

/**
 * define MON_ENCLAVE_CONFIG - what an enclave needs, once in one of its files
 *
 * MON_ENCLAVE_CONFIG(.heap = 4 << 20, .threads = 2, .product = 7);
 * The members are those of struct mon_enclave_config; what is left out has its default.
 */
#define MON_ENCLAVE_CONFIG(...)                                                             \
	__attribute__((__section__(".note.mon_enclave"), __used__))                         \
	const struct mon_enclave_note mon_enclave_note = {                                  \
		.name_size = sizeof(((struct mon_enclave_note *)0)->name),                  \
		.size = sizeof(struct mon_enclave_config),                                  \
		.type = MON_NOTE_TYPE,                                                      \
		.name = MON_NOTE_NAME,                                                      \
		.config = { __VA_ARGS__ },                                                  \
	}

extern const struct mon_enclave_note mon_enclave_note;

/** mon_vmcall() - of the monitor: enum mon_enclave_call, up to three arguments; its answer */
long mon_vmcall(unsigned long call, unsigned long a, unsigned long b, unsigned long c);

/** mon_random() - straight from the CPU; ends the thread if there is none */
void mon_random(void *data, size_t size);

/** mon_wipe() - zeros that no compiler leaves out */
void mon_wipe(void *data, size_t size);

/** mon_equal() - 1 or 0, in a time that does not depend on what is there */
int mon_equal(const void *a, const void *b, size_t size);

#define MON_KEY_SIZE 32
#define MON_LABEL_MAX 24

/**
 * mon_key() - a key that no other enclave gets, nor this one by another label
 * @label: at most MON_LABEL_MAX bytes
 *
 * The same until the monitor is unloaded. 0, or -MON_E*.
 */
int mon_key(const void *label, size_t size, unsigned char key[MON_KEY_SIZE]);

/**
 * mon_signer() - who has signed this enclave (monsign), and from now on reports say so
 * @signer: out: SHA-256 of the public key
 *
 * 0; -MON_ENOENT: the process has no signature; -MON_EPERM: it is not of this enclave; -MON_ENOMEM;
 * -MON_EINVAL. Before this has succeeded once, there is no mon_signer_key().
 */
int mon_signer(unsigned char signer[32]);

/**
 * mon_signer_key() - a key that all enclaves get with this signer and product
 * @label: at most MON_LABEL_MAX bytes
 * @security_version: at most .security_version of this one; those with a lower one do not get it
 *
 * So a version can read what older ones have kept, and none what newer ones have. Debug enclaves
 * have keys of their own. The same until the monitor is unloaded. 0, or -MON_EPERM.
 */
int mon_signer_key(const void *label, size_t size, unsigned int security_version,
		   unsigned char key[MON_KEY_SIZE]);

/**
 * mon_counter() - one of the enclave's counters, or after mon_signer() its signer's and product's
 * @number: below MON_ENCLAVE_COUNTERS
 * @value: out: 0: there is none yet; it never becomes lower until the monitor is unloaded
 * @data: out: what mon_counter_advance() got with it
 *
 * 0, or -MON_EINVAL.
 */
int mon_counter(unsigned int number, uint64_t *value, unsigned char data[MON_ENCLAVE_COUNTER_DATA]);

/**
 * mon_counter_advance() - to a higher value
 *
 * 0; -MON_ERANGE: it is not higher; -MON_EPERM: a version with a higher .security_version has
 * advanced it; -MON_ENOMEM: the monitor has no more counters; -MON_EINVAL.
 */
int mon_counter_advance(unsigned int number, uint64_t value,
			const unsigned char data[MON_ENCLAVE_COUNTER_DATA]);

#define MON_SEAL_OVERHEAD 56

/**
 * mon_seal() - encrypt for this enclave only, and whoever changes a bit of it is noticed
 * @data, @size: what is sealed
 * @context, @context_size: has to be the same for mon_unseal(); is not in the blob
 * @blob: of @size + MON_SEAL_OVERHEAD bytes; must not overlap @data
 *
 * Who keeps the blob can give back an older one. 0, or -MON_E*.
 */
int mon_seal(const void *data, size_t size, const void *context, size_t context_size, void *blob);

/**
 * mon_seal_signed() - mon_seal() for all enclaves of its signer and product
 *
 * Of this .security_version or a higher one. After mon_signer().
 */
int mon_seal_signed(const void *data, size_t size, const void *context, size_t context_size,
		    void *blob);

/**
 * mon_unseal() - what mon_seal() or mon_seal_signed() got
 * @blob, @blob_size: in memory of the enclave
 * @data: of @blob_size - MON_SEAL_OVERHEAD bytes; must not overlap @blob
 *
 * Returns bytes, or -MON_EPERM: not sealed by this enclave, for this context, under this monitor;
 * then there is nothing in @data.
 */
long mon_unseal(const void *blob, size_t blob_size, const void *context, size_t context_size,
		void *data);

/** mon_self() - who the enclave is; 0, or -MON_E* */
int mon_self(struct mon_enclave_self *self);

/**
 * mon_report() - proof for the enclave of measurement @target that this one says @data
 *
 * The report holds for as long as the monitor runs. 0, or -MON_E*.
 */
int mon_report(const unsigned char target[32], const unsigned char data[64],
	       struct mon_enclave_report *report);

/** mon_verify() - 0: it was made for this enclave, by an enclave as it says, on this monitor */
int mon_verify(const struct mon_enclave_report *report);

/**
 * mon_protect() - whole pages of the heap or of the image are to be used so from now on
 * @permission: MON_ENCLAVE_READ, and MON_ENCLAVE_WRITE or MON_ENCLAVE_EXEC, not both
 *
 * By no thread otherwise, once it has returned. 0, or -MON_EINVAL; of more than
 * MON_ENCLAVE_PROTECT_MAX pages the first may have been changed then.
 */
int mon_protect(void *at, size_t size, unsigned int permission);

/**
 * mon_share_offer() - whole pages of the heap or of the image, for another enclave or a VM
 * @permission: of the other: MON_SHARE_READ, or MON_SHARE_READ | MON_SHARE_WRITE
 * @to, @name: to whom: MON_SHARE_TO_ENCLAVE and its measurement, or a VM's (uapi/guest.h)
 * @tag: the other one expects it
 *
 * 1 to MON_ENCLAVE_SHARE_MAX pages. Until mon_share_end() they cannot be protected. Returns an ID,
 * which the process has to take to the other side, or -MON_E* (MON_EC_OFFER in uapi/enclave.h);
 * in simulation -MON_ENOSYS.
 */
long mon_share_offer(void *at, size_t size, unsigned int permission, unsigned int to,
		     const struct mon_name *name, uint64_t tag);

/** mon_share_window() - where shares are to appear, and its *@size; NULL without .shared_pages */
void *mon_share_window(size_t *size);

/**
 * mon_share_accept() - what another one has offered is to be at @at from now on
 * @id: as the process says: it is no secret, and may be wrong
 * @at, @size: whole pages of mon_share_window(), where no share is
 * @permission, @tag: what the offer has to have
 * @from, @name: by whom it has to be, as @to of mon_share_offer()
 *
 * The other side can write there at any time, and can end it: then an access is an exception. So
 * what is read is copied once, and checked in the copy. 0; -MON_ENOENT: there is no such offer;
 * -MON_EPERM: it is not as expected; -MON_EEXIST, -MON_EINVAL.
 */
int mon_share_accept(uint64_t id, void *at, size_t size, unsigned int permission,
		     unsigned int from, const struct mon_name *name, uint64_t tag);

/** mon_share_end() - take pages back, or give them back; 0, or -MON_ENOENT: it is over already */
int mon_share_end(uint64_t id);

/**
 * mon_on_exception() - @handler decides about exceptions from now on, of all threads
 *
 * It may change the registers of what it gets, and returns 0 to go on by them; with anything
 * else the thread ends. It must not use AVX. Needs .exceptions = 1 in MON_ENCLAVE_CONFIG().
 */
void mon_on_exception(int (*handler)(struct mon_enclave_fault *fault));

/** mon_thread_number() - of the thread that runs, from 0 on */
unsigned int mon_thread_number(void);

/** mon_yield() - let the process do something else */
void mon_yield(void);

/** struct mon_mutex - zeros: not locked. It spins for a while, then yields. */
struct mon_mutex {
	int locked;
};

void mon_lock(struct mon_mutex *mutex);
int mon_trylock(struct mon_mutex *mutex); /* 1: it is locked now */
void mon_unlock(struct mon_mutex *mutex);

/** struct mon_condition - zeros: nobody waits */
struct mon_condition {
	unsigned int turn;
};

/** mon_wait() - until somebody calls mon_wake(); or without a reason: ask again what it is for */
void mon_wait(struct mon_condition *condition, struct mon_mutex *mutex);
void mon_wake(struct mon_condition *condition); /* all who wait */

#endif /* _MON_ENCLAVE_H */
