// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: signed [--sim] FOLDER
 *
 * Of the enclaves that selftests/sdk/signed/make has made there: who has which keys. Prints TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "monenclave.h"
#include "signed.h"
#include "uapi/hypercall.h"

static const uint8_t text[TEXT_SIZE] = "what is to keep";
static int points, failed;
static unsigned int flags;
static const char *folder;

static void ok(int good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++points, name);
	if (!good)
		printf("# the last error: %s\n", mon_error());
	failed += !good;
	fflush(stdout);
}

static struct mon_enclave *load(const char *name)
{
	char path[4096];
	struct mon_enclave *mon;

	snprintf(path, sizeof(path), "%s/%s.elf", folder, name);
	mon = mon_open(path, flags);
	if (!mon)
		printf("# %s\n", mon_error());
	return mon;
}

/** struct one - an enclave, and what it has said */
struct one {
	struct mon_enclave *mon;
	long who;
	uint8_t signer[32];
	uint8_t key[32];
};

static struct one ask(const char *name)
{
	struct one one = {.mon = load(name)};

	if (!one.mon || who(one.mon, &one.who, one.signer))
		one.who = -1000;
	return one;
}

static long key_of(struct one *one, unsigned int version)
{
	long result;

	return key_for(one->mon, &result, version, one->key) ? -1000 : result;
}

static int same(const uint8_t a[32], const uint8_t b[32])
{
	return !memcmp(a, b, 32);
}

static long looks(struct one *one, const uint8_t blob[BLOB_SIZE])
{
	uint8_t back[TEXT_SIZE];
	long result;

	if (look(one->mon, &result, blob, back))
		return -1000;
	return result == TEXT_SIZE && memcmp(back, text, TEXT_SIZE) ? -2000 : result;
}

static void keys(struct one *old, struct one *new, struct one *other, struct one *foreign)
{
	uint8_t first[32];

	ok(!key_of(old, 1) && !key_of(new, 1) && same(old->key, new->key),
	   "a later version has the key of the one before");
	memcpy(first, old->key, 32);
	ok(!key_of(new, 2) && !same(new->key, first), "and another one of its own");
	ok(key_of(old, 2) == -MON_EPERM, "which the one before does not get");
	ok(key_of(new, 3) == -MON_EPERM, "nor itself one of a later version");
	ok(!key_of(other, 1) && !same(other->key, first), "another product has another key");
	ok(!key_of(foreign, 1) && !same(foreign->key, first), "and so has another signer");
}

static void seals(struct one *old, struct one *new, struct one *other, struct one *foreign)
{
	uint8_t blob[BLOB_SIZE], newer[BLOB_SIZE];
	long result;

	ok(!keep(old->mon, &result, text, blob) && !result && looks(old, blob) == TEXT_SIZE,
	   "what is sealed for a signer is unsealed");
	ok(looks(new, blob) == TEXT_SIZE, "by a later version, too");
	ok(looks(other, blob) == -MON_EPERM && looks(foreign, blob) == -MON_EPERM,
	   "by no other product or signer");
	ok(!keep(new->mon, &result, text, newer) && !result && looks(old, newer) == -MON_EPERM,
	   "what a later version has sealed is not for one before");
	memcpy(newer + 16, blob + 16, 4);
	ok(looks(old, newer) == -MON_EPERM, "nor when it says so");
}

static long count_of(struct one *one, unsigned int number)
{
	long result;

	return current(one->mon, &result, number) ? -2000 : result;
}

static long counts(struct one *one, unsigned int number, uint64_t value)
{
	long result;

	return advance(one->mon, &result, number, value) ? -2000 : result;
}

static void counters(struct one *old, struct one *new, struct one *other, struct one *foreign)
{
	int good;

	good = !count_of(old, 3) && !counts(old, 3, 7) && count_of(new, 3) == 7 &&
	       !count_of(new, 4) && count_of(new, 8) == -MON_EINVAL;
	ok(good, "versions have the same counters");
	ok(counts(new, 3, 7) == -MON_ERANGE && counts(new, 3, 6) == -MON_ERANGE,
	   "which never become lower");
	ok(!count_of(other, 3) && !count_of(foreign, 3), "no other product or signer has them");
	ok(!counts(new, 3, 8) && counts(old, 3, 9) == -MON_EPERM && count_of(old, 3) == 8,
	   "a version before the last one reads them only");
	mon_close(new->mon);
	*new = ask("new");
	good = !new->who;
	ok(good && count_of(new, 3) == 8, "they outlive an enclave");
}

int main(int argc, char **argv)
{
	struct one old, new, other, foreign, unsigned_one, moved, changed;
	int good;

	flags = argc == 3 && !strcmp(argv[1], "--sim") ? MON_OPEN_SIM : 0;
	if (argc != 2 && !flags)
		return 2;
	folder = argv[argc - 1];
	printf("TAP version 13\n1..22\n");
	old = ask("old");
	new = ask("new");
	other = ask("other");
	foreign = ask("foreign");
	ok(!old.who && !new.who && !other.who && !foreign.who, "signatures are taken");
	good = same(old.signer, new.signer) && same(old.signer, other.signer) &&
	       !same(old.signer, foreign.signer);
	ok(good, "and say who has signed");
	keys(&old, &new, &other, &foreign);
	seals(&old, &new, &other, &foreign);
	counters(&old, &new, &other, &foreign);
	unsigned_one = ask("unsigned");
	ok(unsigned_one.who == -MON_ENOENT && key_of(&unsigned_one, 1) == -MON_EPERM,
	   "without a signature there is no key");
	moved = ask("moved");
	ok(moved.who == -MON_EPERM && key_of(&moved, 1) == -MON_EPERM,
	   "nor with that of another enclave");
	changed = ask("changed");
	ok(changed.who == -MON_EPERM && key_of(&changed, 1) == -MON_EPERM,
	   "nor with a bit of it changed");
	ok(!load("short"), "a file that is no signature is an error");
	return failed != 0;
}
