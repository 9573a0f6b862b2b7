/* SPDX-License-Identifier: GPL-2.0-only */
/* libmonenclave: what a process has to do with its enclaves. */
#ifndef _MONENCLAVE_H
#define _MONENCLAVE_H

#include "mon_image.h"
#include "mon_interface.h"

/* In this process and without the monitor, for tests: nothing is secret, no report is believed. */
#define MON_OPEN_SIM 1u
/* What the enclave prints goes to standard error; else it is dropped. */
#define MON_OPEN_PRINT 2u

/**
 * mon_open() - load an enclave
 * @path: of its file
 * @flags: MON_OPEN_SIM, MON_OPEN_PRINT
 *
 * Returns NULL if it cannot; mon_error() says why.
 */
struct mon_enclave *mon_open(const char *path, unsigned int flags);

/** mon_close() - the end of it; nobody may be inside. NULL is fine. */
void mon_close(struct mon_enclave *mon);

/** mon_error() - the last error of this thread: what was wrong, and what can be done */
const char *mon_error(void);

/** mon_set_data(), mon_data() - something of the process's, for functions that it calls */
void mon_set_data(struct mon_enclave *mon, void *data);
void *mon_data(const struct mon_enclave *mon);

/**
 * mon_set_folder() - where the enclave's files are kept: mon_file.h
 *
 * It can open, make and remove plain files there, and nothing without this. 0, or -1: mon_error().
 */
int mon_set_folder(struct mon_enclave *mon, const char *path);

/** mon_caller() - the enclave that called the function which runs; NULL outside of such */
struct mon_enclave *mon_caller(void);

/**
 * struct mon_enclave_file - what an enclave's file says
 * @measurement: that which the monitor will find
 * @policy: which it is told
 * @config: of MON_ENCLAVE_CONFIG()
 * @pages: of the file, that are copied in
 */
struct mon_enclave_file {
	unsigned char measurement[32];
	struct mon_enclave_policy policy;
	struct mon_enclave_config config;
	unsigned long long pages;
};

/** mon_inspect() - read and check a file; 0, or -1: mon_error() */
int mon_inspect(const char *path, struct mon_enclave_file *file);

/** mon_measure() - its measurement, without a monitor; 0, or -1: mon_error() */
int mon_measure(const char *path, unsigned char measurement[32]);

#endif /* _MONENCLAVE_H */
