/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the VM has what. */
#ifndef _FUZZER_GUEST_H
#define _FUZZER_GUEST_H

#define GUEST_RAM (4UL << 20)
#define GUEST_SECRET 0x100000UL
#define GUEST_SECRET_WORDS (32UL * 512)
#define GUEST_WORD (~0x5ec2e7b1ac0ffee5UL)
#define GUEST_PLAY 0x200000UL /* to share, and to give back */
#define GUEST_PLAY_PAGES 512UL

#endif /* _FUZZER_GUEST_H */
