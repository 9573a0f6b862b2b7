// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include "internal.h"

static __thread char text[512] = "no error";

int mon_fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return -1;
}

const char *mon_error(void)
{
	return text;
}
