/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the ioctl test share. */
#ifndef SELFTESTS_VM_IOCTL_H
#define SELFTESTS_VM_IOCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "../../uapi/monitor.h"

#define PAGE 4096UL

extern int dev;
extern char big[2 * PAGE];

void ok(bool good, const char *name);
void is(long got, long wanted, const char *name);

/* The value of a request, or the negative errno. */
int ask(int fd, unsigned long cmd, void *arg);

struct mon_info info(void);
struct mon_vm_info status(int domain);
unsigned long long host_frames(void);

/* What arms a small VM. */
struct mon_vm_arm good_request(pid_t pid);

/* A process that waits, one that is armed, and its end. */
pid_t start(void);
int arm(pid_t pid);
void stop(pid_t pid);

/* Any request: @size bytes of which the first version had @first. */
void test_sizes(int fd, unsigned long cmd, const void *good, size_t size, size_t first,
		const char *name);
void test_addresses(int fd, unsigned long cmd, const void *good, size_t size, const char *name);

enum file_kind { DEVICE, DOMAIN, SHARE };

/* No request but those of this kind of file. */
void test_numbers(int fd, enum file_kind kind, const char *name);

unsigned long long r(void);

/* ioctl_share.c */
void test_shares(void);
int offer(int domain, unsigned int perm, unsigned long long pages);

/* ioctl_key.c */
void test_keys(void);

/* ioctl_race.c */
void test_races(unsigned int seconds);
bool documented(int err);

#endif
