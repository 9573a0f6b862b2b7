/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the pure code may know of the world it is built in: the monitor image,
 * a user-space test, a fuzzer or a model checker. Nothing else is included by
 * npt/ and by the pure files of core/.
 */
#ifndef _NPT_SHIM_H
#define _NPT_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef long long s64;

#define BIT(n) (1ULL << (n))
#define GENMASK(h, l) (((~0ULL) << (l)) & (~0ULL >> (63 - (h))))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a) ((x) & ~((u64)(a) - 1))
#define ALIGN_UP(x, a) ALIGN_DOWN((x) + (a) - 1, a)
#define IS_ALIGNED(x, a) (((x) & ((u64)(a) - 1)) == 0)
#define min_u64(a, b) ((u64)(a) < (u64)(b) ? (u64)(a) : (u64)(b))
#define max_u64(a, b) ((u64)(a) > (u64)(b) ? (u64)(a) : (u64)(b))

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __must_check __attribute__((__warn_unused_result__))
#define __noreturn __attribute__((__noreturn__))

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ULL
#define INVALID_PFN (~0ULL)

/**
 * frame_ptr() - where the monitor sees a physical frame
 * @pfn: frame number; the caller has asked the ownership table first
 *
 * In the image this is the direct map; in user space an array.
 */
void *frame_ptr(u64 pfn);

/**
 * npt_flush_local() - drop every cached nested translation of this CPU
 *
 * In the image INVEPT and INVVPID of all contexts (SDM 29.4.3.1); the tests
 * and the model count it.
 */
void npt_flush_local(void);

/**
 * monitor_bug() - a state that the code has excluded was reached; no return
 * @what: the condition that failed, for the last message
 */
void monitor_bug(const char *what) __attribute__((__noreturn__));

#define MONITOR_BUG_ON(cond)                    \
	do {                                    \
		if (unlikely(cond))             \
			monitor_bug(__FILE__ ": " #cond); \
	} while (0)

struct spinlock {
	u32 held;
};

static inline void spin_lock(struct spinlock *lock)
{
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
}

static inline void spin_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

void *memset(void *dst, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif /* _NPT_SHIM_H */
