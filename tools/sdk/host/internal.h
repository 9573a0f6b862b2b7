/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of libmonenclave have together. */
#ifndef _MON_INTERNAL_H
#define _MON_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include "mon_message.h"
#include "monenclave.h"
#include "uapi/monitor.h"

/** mon_fail() - sets mon_error(); returns -1 */
int __attribute__((__format__(__printf__, 1, 2))) mon_fail(const char *format, ...);

/**
 * struct mon_image - an enclave's file as it will be in memory
 * @page: contents, of @nr_pages from @base on
 * @perm: of each: MON_ENCLAVE_READ..; 0: there is none
 * @note_at: address of its configuration
 * @entry: address
 */
struct mon_image {
	unsigned char *page;
	unsigned char *perm;
	unsigned long long base;
	unsigned long long nr_pages;
	unsigned long long note_at;
	unsigned long long entry;
	struct mon_enclave_config config;
	struct mon_enclave_policy policy;
	struct mon_layout layout;
};

#define MON_FILE_MAX (256ULL << 20)
#define MON_IMAGE_PAGES_MAX (MON_FILE_MAX / MON_PAGE)

/** mon_image_load() - check a file, and relocate it for @bias; 0, or -1: mon_error() */
int mon_image_load(struct mon_image *image, const void *file, size_t size, unsigned long long bias);

/** mon_image_read() - mon_image_load() of a path */
int mon_image_read(struct mon_image *image, const char *path, unsigned long long bias);

/** mon_image_free() - what was loaded; or zeros */
void mon_image_free(struct mon_image *image);

/* Of image.c, for mon_image_load(): configuration and policy. */
int mon_image_configure(struct mon_image *image);

/** mon_image_measure() - 0, or -1 */
int mon_image_measure(const struct mon_image *image, unsigned char out[32]);

struct mon_sim;

#define MON_FILES_MAX 16

/**
 * struct mon_files - what an enclave has open
 * @folder: mon_set_folder(); -1: none
 * @fd: of each handle; -1: it is free
 */
struct mon_files {
	int folder;
	int fd[MON_FILES_MAX];
};

/**
 * struct mon_enclave - one that is loaded
 * @fd: descriptor of the real one; or -1
 * @sim: the simulation; or NULL
 * @buffer: where this process has the shared memory
 * @frames, @frames_max: that it may own; and could
 * @busy: threads that are in use
 * @files: of mon_set_folder()
 * @signature: of the file beside it; NULL: there is none
 */
struct mon_enclave {
	char *path;
	unsigned int flags;
	int fd;
	struct mon_sim *sim;
	unsigned char *buffer;
	struct mon_layout layout;
	unsigned long long frames;
	unsigned long long frames_max;
	void *data;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned char busy[MON_ENCLAVE_MAX_THREADS];
	struct mon_files files;
	struct mon_enclave_signature *signature;
};

/**
 * mon_run() - MON_IOC_ENCLAVE_RUN, or its simulation
 *
 * Returns 0 with an exit that is not "interrupted", or -1: mon_error().
 */
int mon_run(struct mon_enclave *mon, struct mon_enclave_run *run);

/* Of open.c and sim.c: the way to each kind. */
int mon_real_open(struct mon_enclave *mon, const struct mon_image *image);
int mon_sim_open(struct mon_enclave *mon, const char *path);
int mon_sim_run(struct mon_enclave *mon, struct mon_enclave_run *run);
void mon_sim_close(struct mon_enclave *mon);

/* Of signature.c. */
/** mon_signature_read() - PATH.sig, if there is one; 0, or -1: mon_error() */
int mon_signature_read(struct mon_enclave *mon);
/** mon_serve_signature() - MON_OCALL_SIGNATURE; its answer */
long mon_serve_signature(const struct mon_enclave *mon, void *slice, size_t room);

/* Of folder.c. */
void mon_files_init(struct mon_files *files);
void mon_files_close(struct mon_files *files);
/** mon_serve_file() - MON_OCALL_FILE: the request in @slice, of @room bytes; its answer */
long mon_serve_file(struct mon_enclave *mon, void *slice, size_t room);

#endif /* _MON_INTERNAL_H */
