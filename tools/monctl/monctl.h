/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MONCTL_H
#define _MONCTL_H

#include <stdbool.h>

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
int cmd_run(int argc, char **argv);
int cmd_measure(int argc, char **argv);

/** show_domains() - the confidential VMs there are; part of the status */
void show_domains(void);

/** exit_reason_name() - as in SDM appendix C; NULL if there is no such reason */
const char *exit_reason_name(unsigned int reason);

#endif /* _MONCTL_H */
