/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of core/disk/ share. */
#ifndef _CORE_DISK_INTERNAL_H
#define _CORE_DISK_INTERNAL_H

#include "../gcm.h"
#include "../sha256.h"
#include "disk.h"

#define BLOCK MON_DISK_BLOCK
#define FANOUT MON_DISK_FANOUT
#define NONE (~0ULL)

/* What a step got: ERROR is for who asked, the disk itself goes on. */
enum got { GOT, WAIT, ERROR };

/* ---- place.c ---- */

u64 place_data(u64 block);
u64 place_meta(u32 kind, u64 index, u32 slot);
u64 place_leaf(u64 block, u32 *i);
u64 place_first(u64 leaf);
u64 place_chunk_end(u64 block);
u32 place_seals(u64 leaf);

/* ---- seal.c ---- */

/**
 * struct disk_key - key of a session that seals were met of
 * @used: when, by struct disk's clock; 0: never
 */
struct disk_key {
	struct gcm_key key;
	u64 session;
	u64 used;
};

#define NR_KEYS (PAGE_SIZE / sizeof(struct disk_key))

void seal_uuid(struct disk *d, const u8 uuid[16]);
void seal_session(struct disk *d);
void seal_data(struct disk *d, u64 block, const void *from, void *to, struct mon_disk_seal *seal);
bool open_data(struct disk *d, u64 block, const struct mon_disk_seal *seal, const void *from,
	       void *to);
void seal_meta(struct disk *d, u32 kind, u64 index, void *page, u64 count);
bool open_meta(struct disk *d, u32 kind, u64 index, void *page);

/* ---- io.c ---- */

/**
 * enum tag_state - of what the host is asked for
 * @TAG_QUEUED: disk_host_next() will give it
 * @TAG_SENT: the host has it
 * @TAG_DONE: the host says so
 */
enum tag_state { TAG_FREE, TAG_QUEUED, TAG_SENT, TAG_DONE };

/**
 * struct disk_tag - a request to the host
 * @op: enum disk_host_op
 * @ok: the host says that it could
 * @orphan: nobody waits for it any more
 * @count: blocks
 * @ref: a frame of the tree, or the first entry of a write of data
 * @slot: of a read of data, the first of those in a row
 * @block: of the image
 * @first: of a read of data, the guest's block
 * @commits: finished when a read began
 */
struct disk_tag {
	u8 state;
	u8 op;
	bool ok;
	bool orphan;
	u16 count;
	u16 ref;
	u16 slot;
	u64 block;
	u64 first;
	u64 commits;
};

#define TAG_READ 0
#define TAG_META (TAG_READ + DISK_READS)
#define TAG_WRITE (TAG_META + DISK_METAS)
#define TAG_FLUSH (TAG_WRITE + DISK_WRITES)
#define NR_TAGS (TAG_FLUSH + 1)
#define NO_TAG 255
#define NO_REF 0xffff

struct disk_tag *io_new(struct disk *d, u32 first, u32 nr, u32 op, u64 block);
u32 io_read_slots(const struct disk *d, u16 *slot);
void io_release(struct disk_tag *tag);
bool io_finish(struct disk *d);
void *io_arena(struct disk *d, u32 slot);
void *io_slot(struct disk *d, const struct disk_tag *tag, u32 i);
bool io_writing(const struct disk *d);
enum got io_flush(struct disk *d);
enum got io_touch(struct disk *d);
bool io_put(struct disk *d, u32 kind, u64 index, void *page, u64 count, u64 block, u32 ref);
enum got io_get(struct disk *d, u8 *run, u64 block, void *page);

/* ---- tree.c ---- */

enum tree_state { FRAME_EMPTY, FRAME_LOADING, FRAME_VALID, FRAME_BAD };

/**
 * struct disk_frame - a leaf, node or root in memory
 * @page: with its contents
 * @index: which of its kind
 * @word: what it has to be, when it is loaded
 * @used: when, by struct disk's clock
 * @kind: enum mon_disk_kind
 * @state: enum tree_state
 * @pinned: the commit needs it
 * @writing: not at the host yet
 * @fresh: loaded, and who waited for it has not seen it yet
 */
struct disk_frame {
	u8 *page;
	u64 index;
	struct mon_disk_word word;
	u64 used;
	u8 kind;
	u8 state;
	bool pinned;
	bool writing;
	bool fresh;
};

#define FRAMES_PER_PAGE ((u32)(PAGE_SIZE / sizeof(struct disk_frame)))
#define FRAMES_MAX 4096
#define FRAME_PAGES ((FRAMES_MAX + FRAMES_PER_PAGE - 1) / FRAMES_PER_PAGE)
#define WAYS 8

struct disk_frame *tree_frame(struct disk *d, u32 i);
enum got tree_get(struct disk *d, u32 kind, u64 index, struct disk_frame **frame);
enum got tree_leaf(struct disk *d, u64 block, struct mon_disk_seal **seal);
enum got tree_put(struct disk *d, struct disk_frame *frame, struct mon_disk_word *word);
bool tree_drop(struct disk *d, u32 kind, u64 index);
bool tree_loaded(struct disk *d, struct disk_tag *tag);
void tree_forget(struct disk *d);

/* ---- dirty.c ---- */

/**
 * struct disk_entry - a dirty block: it is in the arena, in the slot of the same number
 * @block: the guest's
 * @seal: of what is in the slot
 * @epoch: of the commit it belongs to; 0: free
 * @hash: the next one with the same hash, or of the free ones
 * @next: the next one of the commit
 */
struct disk_entry {
	u64 block;
	struct mon_disk_seal seal;
	u64 epoch;
	u16 hash;
	u16 next;
};

#define ENTRIES_PER_PAGE ((u32)(PAGE_SIZE / sizeof(struct disk_entry)))
#define ENTRY_PAGES ((DISK_ENTRIES_MAX + ENTRIES_PER_PAGE - 1) / ENTRIES_PER_PAGE)
#define BUCKETS 256

void dirty_init(struct disk *d);
struct disk_entry *dirty_entry(const struct disk *d, u32 i);
struct disk_entry *dirty_find(const struct disk *d, u64 block, u32 *i);
bool dirty_room(const struct disk *d, u64 block);
void *dirty_slot(struct disk *d, u64 block);
void dirty_put(struct disk *d, u64 block, const void *page, void *to);
void dirty_drop(struct disk *d, u64 epoch, u64 first, u64 end);
u16 dirty_sorted(struct disk *d, u32 nr);

/* ---- commit.c, super.c, settle.c ---- */

enum commit_kind { COMMIT_WRITE, COMMIT_ZERO, COMMIT_OPEN, COMMIT_CLOSE };
enum commit_phase {
	PHASE_NONE,
	PHASE_TREE,
	PHASE_BEFORE,
	PHASE_SUPER,
	PHASE_FLUSH,
	PHASE_DATA,
	PHASE_AFTER,
};

/**
 * struct disk_commit - the commit that is under way
 * @kind: enum commit_kind
 * @phase: enum commit_phase
 * @run: of PHASE_OPEN: the read of data
 * @changed: something is
 * @leaf_dirty, @node_dirty, @root_dirty: changed, and to be written
 * @first: of its entries, by their blocks
 * @entry, @data: the next whose seal, whose data is to be written
 * @from: of COMMIT_WRITE, the next leaf; NONE: there are no more changes
 * @block, @end: of COMMIT_ZERO, what is left of its range; of COMMIT_OPEN, records
 * @leaf, @node, @root: that it is at, pinned
 * @req: of COMMIT_ZERO
 * @journal: blocks of the journal that are sealed
 */
struct disk_commit {
	u8 kind;
	u8 phase;
	u8 run;
	bool changed;
	bool leaf_dirty;
	bool node_dirty;
	bool root_dirty;
	u16 first;
	u16 entry;
	u16 data;
	u32 journal;
	u64 from;
	u64 block;
	u64 end;
	struct disk_frame *leaf;
	struct disk_frame *node;
	struct disk_frame *root;
	struct disk_req *req;
};

void commit_begin(struct disk *d, u32 kind);
void commit_step(struct disk *d);
enum got commit_path(struct disk *d, u64 leaf, u32 down_to);
enum got settle_record(struct disk *d);
void super_begin(struct disk *d);
enum got super_write(struct disk *d);
bool super_valid(struct disk *d, u32 area);
bool journal_valid(struct disk *d, u32 i);
u32 super_journals(const struct disk *d);
struct mon_disk_record *super_record(struct disk *d, u32 i);
void super_add(struct disk *d, u64 block, const struct mon_disk_seal *before);

/* ---- open.c, request.c, disk.c ---- */

enum open_phase { OPEN_AREA0, OPEN_AREA1, OPEN_SUPER, OPEN_JOURNAL, OPEN_WHOLE, OPEN_FLUSH };

/**
 * struct disk_opening - what is known of a disk that is being opened
 * @phase: enum open_phase
 * @run: the read that is under way
 * @area: which superblock is tried
 * @i: which block of the journal, or record
 * @commit: of each area; 0: it does not count
 * @opened: least that the disk must have been opened
 * @key: of the disk
 */
struct disk_opening {
	u8 phase;
	u8 run;
	u8 area;
	u32 i;
	u64 commit[2];
	u64 opened;
	u8 key[MON_DISK_KEY_SIZE];
};

void open_step(struct disk *d);
void requests_step(struct disk *d);
void requests_fail(struct disk *d);
bool requests_pending(const struct disk *d);
struct disk_req *requests_zero(struct disk *d);
void disk_stop(struct disk *d, enum disk_why why);
void disk_spend(struct disk *d, s64 bytes);

/**
 * struct disk - a frame of the monitor's
 * @super, @journal: the superblock, with its records
 * @data: a block of data, decrypted
 * @copy: a block of the host's, copied
 * @keys: NR_KEYS of them
 * @entries, @frames: how many
 * @free, @nr_free: entries
 * @epoch: of the entries that the next commit takes; those of the one under way have the one before
 * @nr_dirty: entries of @epoch
 * @finished: commits that are; what is dirty is of commit @epoch
 * @generation: changes with each commit of any kind that is finished
 * @clock: of uses of keys and frames
 * @session, @count: of the last seal
 * @prk: HKDF's, of which the keys of sessions are made
 * @want: a commit is wanted
 * @progress: something was done: what waited for it may go on
 * @zeroed: the last commit was a COMMIT_ZERO: another kind is next, if one is wanted
 * @turn: which request is first
 * @reqs: a bit for each of @req that is there
 * @budget: of this step, what is left
 * @missing: slot that this step has not found; NONE: it has found all
 * @owner: of whoever uses it
 */
struct disk {
	u8 state;
	u8 why;
	bool write_back;
	bool want;
	bool progress;
	bool zeroed;
	u8 turn;
	s64 budget;
	u64 missing;
	void *owner;
	struct mon_disk_super *super;
	struct mon_disk_journal *journal[MON_DISK_AREA_BLOCKS - 1];
	u8 *data;
	u8 *copy;
	struct disk_key *keys;
	u32 entries;
	u32 frames;
	u32 nr_dirty;
	u16 free;
	u16 nr_free;
	u16 bucket[BUCKETS];
	struct disk_entry *entry_page[ENTRY_PAGES];
	struct disk_frame *frame_page[FRAME_PAGES];
	u64 epoch;
	u64 finished;
	u64 generation;
	u64 clock;
	u64 session;
	u64 count;
	u8 prk[SHA256_DIGEST_SIZE];
	u8 uuid[16];
	struct disk_tag tag[NR_TAGS];
	u64 reqs;
	struct disk_req *req[DISK_REQS];
	struct disk_commit commit;
	struct disk_opening opening;
	struct disk_stats stats;
};

#endif /* _CORE_DISK_INTERNAL_H */
