/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MONCTL_H
#define _MONCTL_H

#include <stdbool.h>
#include "uapi/monitor.h"

/**
 * struct subcommand - "monctl NAME ..."
 * @name: what the user types
 * @arguments: for the usage line
 * @help: one line
 * @run: gets the arguments from NAME on; its value is the exit status
 */
struct subcommand {
	const char *name;
	const char *arguments;
	const char *help;
	int (*run)(int argc, char **argv);
};

/* Exit status: 1 what was asked for cannot be done, 2 it was asked for wrongly. */
#define EXIT_CANNOT 1
#define EXIT_USAGE 2

/** fail() - "monctl: MESSAGE" on standard error; EXIT_CANNOT */
int __attribute__((__format__(__printf__, 1, 2))) fail(const char *format, ...);

int cmd_status(int argc, char **argv);
int cmd_domains(int argc, char **argv);
int cmd_pages(int argc, char **argv);
int cmd_shares(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_measure(int argc, char **argv);
int cmd_refill(int argc, char **argv);
int cmd_enclaves(int argc, char **argv);
int cmd_evict(int argc, char **argv);

/* A number of at least 1; 0: it is none. */
unsigned long long number_of(const char *text);
int cmd_disk(int argc, char **argv);
int cmd_enclave(int argc, char **argv);
int cmd_enclave_gdb(int argc, char **argv);
int cmd_events(int argc, char **argv);

/** show_domains() - the confidential VMs there are; part of the status */
void show_domains(void);

/**
 * struct domain - a confidential VM, as the kernel shows it
 * @number: of its domain; 0 once it is gone, until its descriptor is closed
 * @pid: 0: its process is gone
 * @line: all that is said of it
 */
struct domain {
	unsigned int number;
	int pid;
	char *line;
};

struct domains {
	struct domain *item;
	unsigned int nr;
};

/** read_domains() - false: it cannot be read, and standard error says why */
bool read_domains(struct domains *domains);

/** free_domains() - what read_domains() has read */
void free_domains(struct domains *domains);

/* Of device.c: what fails says so on standard error. */

struct shares {
	struct mon_share_info *item;
	unsigned int nr;
};

/** open_device() - a descriptor of /dev/monitor, or -1 */
int open_device(void);

/** request_error() - what an errno of a request means to people */
const char *request_error(int err);

/** read_shares() - all shares there are; @item is to be freed, also on failure */
bool read_shares(struct shares *shares);

#define SIZE_TEXT 24

/** human_size() - of so many frames, such as "1.5 MiB" */
const char *human_size(unsigned long long frames, char out[SIZE_TEXT]);

#define DOMAIN_TEXT 24

/** domain_name() - "host", "monitor", "domain 2", or "-" for nobody */
const char *domain_name(unsigned int domain, char out[DOMAIN_TEXT]);

/** exit_reason_name() - as in SDM appendix C; NULL if there is no such reason */
const char *exit_reason_name(unsigned int reason);

#endif /* _MONCTL_H */
