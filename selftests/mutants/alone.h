/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Before everything else when a mutant is built. The tests have one thread, so
 * a lock that is held when it is taken is never released: said at once, not
 * waited for.
 */
void monitor_bug(const char *what) __attribute__((__noreturn__));
#define __builtin_ia32_pause() monitor_bug("the lock was not released")
