/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fuzzer of what a host may say to the monitor: hypercalls, by testmod, requests of
 * /dev/monitor, and calls of a confidential VM that does what it is told. An input is a
 * few operations one after the other. As text, on one line:
 *
 *	h0.14:1,4w=V3+0(R0+0,V1+0,V0+0,V0+0) ...
 *
 * "h" a hypercall, "i" a request, "g" a call of the VM's, "m" a mapping of a descriptor, "t" a
 * load or store of the kernel's; 0 on which CPU, or with which descriptor; 14 the number; 1 the
 * structure that is in memory before it, and one of its words that is other than usual (w: all
 * 64 bits of it). A value is a letter, a number and what is added: those of value_of().
 */
#ifndef _FUZZER_H
#define _FUZZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096UL
#define MAX_OPS 12
#define MAX_EDITS 3
#define NR_ARGS 4

struct value {
	char kind;
	uint8_t index;
	int64_t add;
};

struct edit {
	uint8_t word; /* of 32 bits */
	bool wide;
	struct value value;
};

struct op {
	char what;
	uint8_t unit;
	uint8_t number;
	uint8_t structure;
	uint8_t nr_edits;
	struct edit edit[MAX_EDITS];
	struct value arg[NR_ARGS];
};

struct input {
	unsigned int nr;
	struct op op[MAX_OPS];
};

/* input.c */
uint64_t random64(void);
uint64_t below(uint64_t limit);
void random_seed(uint64_t seed);
void input_random(struct input *in);
void input_mutate(struct input *in, const struct input *other);
void input_print(const struct input *in);
bool input_parse(const char *text, struct input *in);

/* world.c */
enum structure { ST_NONE, ST_CREATE, ST_OFFER, ST_GUEST_OFFER, ST_ARM, ST_INFO, ST_VM_INFO,
		 ST_FRAMES, ST_ACCEPT, ST_SHARE_OFFER, ST_SHARE_INFO, ST_PAGES, ST_CREATE_DISK,
		 ST_ARM_DISK, ST_KEY, ST_ENCLAVE, ST_ENCLAVE_CREATE, ST_ENCLAVE_ADD,
		 ST_ENCLAVE_RUN, ST_ENCLAVE_INFO, ST_ENCLAVE_EVICT,
		 ST_ENCLAVE_OFFER, ST_ENCLAVE_ACCEPT, ST_NR };
enum class { CLASS_IMAGE, CLASS_TABLE, CLASS_VMX, CLASS_STATE, CLASS_FREE, CLASS_PRIVATE,
	     CLASS_SHARED, CLASS_TRANSIT, CLASS_HOLE, CLASS_PINNED, CLASS_NR };

#define ARENA_PAGES 64	  /* the fuzzer's own, which it may give away */
#define CANARY_PAGES 64	  /* beside it; nobody may change them */
#define SCRATCH_PAGE 200  /* answers to the fuzzer itself */
#define ENCLAVE_PAGE 203  /* code of enclaves: see enclave.c */
#define ENCLAVE_COPIES 128 /* likewise: in a number of a call */
#define VALUES 64

extern uint8_t *arena;
extern uint64_t arena_pa, frames_total;
extern int victim; /* its descriptor */
extern unsigned int victim_domain;
extern uint64_t keeper; /* domain of an enclave that has to keep what it has */
extern int64_t results[MAX_OPS];
extern uint64_t used[MAX_OPS][NR_ARGS + MAX_EDITS]; /* what the values of an input were */
extern unsigned int nr_results;
extern uint64_t frame_of[CLASS_NR]; /* one of each, or 0 */

void die(const char *what) __attribute__((noreturn));
int64_t testmod(const char *format, ...) __attribute__((format(printf, 1, 2)));
int64_t hypercall(unsigned int cpu, uint64_t number, uint64_t a, uint64_t b, uint64_t c,
		  uint64_t d);
void world_init(void);
void world_survey(void);
bool all_hosts(uint64_t pfn, uint64_t nr);
uint64_t value_of(const struct value *v, uint64_t structure);
void structure_make(const struct op *op, void *at, uint64_t its_address);
uint64_t share_newest(void);
void note_share(uint64_t id);
void note_domain(uint64_t domain);
const char *world_whole(void);

/* calls.c */
int64_t do_hypercall(const struct op *op);
int64_t do_guest(const struct op *op);
int64_t do_touch(const struct op *op);
void frames_home(void);
bool measurement_of_newest(uint8_t measurement[32]);
void destroyed(uint64_t call, uint64_t number);
void calls_clean(void);

/* enclave.c */
void enclave_init(void);
bool enclave_whole(void);
void enclave_done(void);

/* requests.c */
void requests_init(void);
int64_t do_request(const struct op *op);
int64_t do_map(const struct op *op);
void requests_clean(void);

#endif /* _FUZZER_H */
