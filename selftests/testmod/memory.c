// SPDX-License-Identifier: GPL-2.0-only
/* Memory by physical address, touched in every way. */
#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/kdebug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/asm.h>
#include <asm/set_memory.h>
#include "testmod.h"

/*
 * Ways to an address: d the kernel's direct map, v a mapping of one's own,
 * w one that is uncached, x one that is executable, i ioremap (for what is no
 * RAM), m memremap, s the direct map made uncached. Two pages, so that an
 * access can cross. Interrupts are off meanwhile: one that comes between the
 * fault and the access makes it two faults.
 */
struct window {
	char way;
	void *base; /* to be unmapped */
	u8 *at;
};

static int map_pages(struct window *w, u64 pa, pgprot_t prot)
{
	struct page *pages[2];
	u64 pfn = pa >> PAGE_SHIFT;

	if (!pfn_valid(pfn) || !pfn_valid(pfn + 1))
		return -ENXIO;
	pages[0] = pfn_to_page(pfn);
	pages[1] = pfn_to_page(pfn + 1);
	w->base = vmap(pages, 2, VM_MAP, prot);
	return w->base ? 0 : -ENOMEM;
}

/* vmap() makes all it maps non-executable; the first page has not been touched yet. */
static void make_executable(void *page)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)page, &level);

	if (pte && level == PG_LEVEL_4K)
		set_pte(pte, __pte(pte_val(*pte) & ~_PAGE_NX));
}

static int window_open(struct window *w, u64 pa, const char *way)
{
	int err = 0;

	w->way = way ? *way : 'd';
	switch (w->way) {
	case 'd':
		if (!pfn_valid(pa >> PAGE_SHIFT))
			return -ENXIO;
		w->at = __va(pa);
		return 0;
	case 's':
		if (!pfn_valid(pa >> PAGE_SHIFT))
			return -ENXIO;
		w->base = __va(pa & PAGE_MASK);
		err = set_memory_uc((unsigned long)w->base, 1);
		break;
	case 'v':
		err = map_pages(w, pa, PAGE_KERNEL);
		break;
	case 'w':
		err = map_pages(w, pa, pgprot_noncached(PAGE_KERNEL));
		break;
	case 'x':
		err = map_pages(w, pa, PAGE_KERNEL);
		break;
	case 'm':
		w->base = memremap(pa & PAGE_MASK, 2 * PAGE_SIZE, MEMREMAP_WB);
		break;
	case 'i':
		w->base = (void __force *)ioremap(pa & PAGE_MASK, PAGE_SIZE);
		break;
	default:
		return -EINVAL;
	}
	if (!err && !w->base)
		err = -ENOMEM;
	if (!err && w->way == 'x')
		make_executable(w->base);
	if (!err)
		w->at = (u8 *)w->base + offset_in_page(pa);
	return err;
}

static void window_close(struct window *w)
{
	switch (w->way) {
	case 'v':
	case 'w':
	case 'x':
		vunmap(w->base);
		break;
	case 's':
		set_memory_wb((unsigned long)w->base, 1);
		break;
	case 'm':
		memunmap(w->base);
		break;
	case 'i':
		iounmap((void __iomem *)w->base);
		break;
	}
}

/* One instruction with a memory operand of 1, 2, 4 or 8 bytes. */
#define SIZED(fault, size, insn, at, value)                                                   \
	do {                                                                                  \
		u64 _ax = 0;                                                                  \
		switch (size) {                                                               \
		case 1:                                                                       \
			TRY(fault, _ax, insn("b", "%b[v]"), [v] "+q"(value) : [m] "r"(at));   \
			break;                                                                \
		case 2:                                                                       \
			TRY(fault, _ax, insn("w", "%w[v]"), [v] "+q"(value) : [m] "r"(at));   \
			break;                                                                \
		case 4:                                                                       \
			TRY(fault, _ax, insn("l", "%k[v]"), [v] "+q"(value) : [m] "r"(at));   \
			break;                                                                \
		default:                                                                      \
			TRY(fault, _ax, insn("q", "%q[v]"), [v] "+q"(value) : [m] "r"(at));   \
		}                                                                             \
	} while (0)

#define LOAD(s, v) "mov" s " (%[m]), " v
#define STORE(s, v) "mov" s " " v ", (%[m])"
#define XADD(s, v) "lock; xadd" s " " v ", (%[m])"
#define XCHG(s, v) "xchg" s " " v ", (%[m])"
#define AND(s, v) "and" s " " v ", (%[m])"

enum op { OP_LOAD, OP_STORE, OP_XADD, OP_XCHG, OP_AND };

static int access(enum op op, u64 size, u64 pa, u64 value, const char *way)
{
	struct window w = {};
	int fault = NO_FAULT, err;
	unsigned long flags;

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return -EINVAL;
	err = window_open(&w, pa, way);
	if (err)
		return err;
	local_irq_save(flags);
	switch (op) {
	case OP_LOAD:
		SIZED(fault, size, LOAD, w.at, value);
		break;
	case OP_STORE:
		SIZED(fault, size, STORE, w.at, value);
		break;
	case OP_XADD:
		SIZED(fault, size, XADD, w.at, value);
		break;
	case OP_XCHG:
		SIZED(fault, size, XCHG, w.at, value);
		break;
	case OP_AND:
		SIZED(fault, size, AND, w.at, value);
		break;
	}
	local_irq_restore(flags);
	window_close(&w);
	if (fault != NO_FAULT)
		say_fault(fault);
	else
		say("0x%llx\n", value);
	return 0;
}

/* load SIZE ADDRESS [WAY] */
static int do_load(const struct args *a)
{
	return access(OP_LOAD, a->num[0], a->num[1], 0, a->word[2]);
}

/* store SIZE ADDRESS VALUE [WAY]; likewise xadd, xchg, and */
static int do_store(const struct args *a)
{
	return access(OP_STORE, a->num[0], a->num[1], a->num[2], a->word[3]);
}

static int do_xadd(const struct args *a)
{
	return access(OP_XADD, a->num[0], a->num[1], a->num[2], a->word[3]);
}

static int do_xchg(const struct args *a)
{
	return access(OP_XCHG, a->num[0], a->num[1], a->num[2], a->word[3]);
}

static int do_and(const struct args *a)
{
	return access(OP_AND, a->num[0], a->num[1], a->num[2], a->word[3]);
}

/* movs TO FROM COUNT: rep movsb by the direct map */
static int do_movs(const struct args *a)
{
	void *to = __va(a->num[0]), *from = __va(a->num[1]);
	u64 count = a->num[2], ax = 0;
	unsigned long flags;
	int fault;

	if (!pfn_valid(a->num[0] >> PAGE_SHIFT) || !pfn_valid(a->num[1] >> PAGE_SHIFT))
		return -ENXIO;
	local_irq_save(flags);
	TRY(fault, ax, "rep movsb", "+D"(to), "+S"(from), "+c"(count) : "m"(*(u8 *)from));
	local_irq_restore(flags);
	if (fault != NO_FAULT)
		say_fault(fault);
	else
		say("left %llu\n", count);
	return 0;
}

/* stos ADDRESS BYTE COUNT: rep stosb by the direct map */
static int do_stos(const struct args *a)
{
	void *to = __va(a->num[0]);
	u64 count = a->num[2], ax = a->num[1];
	unsigned long flags;
	int fault;

	if (!pfn_valid(a->num[0] >> PAGE_SHIFT))
		return -ENXIO;
	local_irq_save(flags);
	TRY(fault, ax, "rep stosb", "+D"(to), "+c"(count) : "m"(ax));
	local_irq_restore(flags);
	if (fault != NO_FAULT)
		say_fault(fault);
	else
		say("left %llu\n", count);
	return 0;
}

static u64 load_alone(const void *p)
{
	unsigned long flags;
	u64 value;

	local_irq_save(flags);
	value = READ_ONCE(*(const u64 *)p);
	local_irq_restore(flags);
	return value;
}

/*
 * scan PFN COUNT STEP: of so many frames, read 8 bytes every STEP bytes: how
 * many frames are zeros throughout, and the first that is not. Frames that
 * somebody uses (page count above 0) are left out if a fourth argument is there.
 */
static int do_scan(const struct args *a)
{
	u64 pfn, off, zero = 0, used = 0, other = 0, first = 0;
	u64 step = max_t(u64, a->num[2], 8);

	for (pfn = a->num[0]; pfn < a->num[0] + a->num[1]; pfn++) {
		const u8 *p = __va(pfn << PAGE_SHIFT);

		if (!pfn_valid(pfn))
			return -ENXIO;
		if (a->nr > 3 && page_count(pfn_to_page(pfn))) {
			used++;
			continue;
		}
		for (off = 0; off < PAGE_SIZE; off += step)
			if (load_alone(p + off))
				break;
		if (off < PAGE_SIZE && !other++)
			first = pfn;
		zero += off >= PAGE_SIZE;
		cond_resched();
	}
	say("zero %llu other %llu used %llu first %#llx\n", zero, other, used, first);
	return 0;
}

/* ---- execution: what comes back from a call of an address ---- */

static unsigned long fetch_target;

/* An exception at the very first instruction: return to the caller with its number. */
static int fetch_die(struct notifier_block *nb, unsigned long event, void *data)
{
	struct die_args *args = data;
	struct pt_regs *regs = args->regs;

	if (event != DIE_GPF || !fetch_target || regs->ip != fetch_target)
		return NOTIFY_DONE;
	regs->ip = *(unsigned long *)regs->sp;
	regs->sp += 8;
	regs->ax = 0x10000 + args->trapnr;
	return NOTIFY_STOP;
}

static struct notifier_block fetch_nb = { .notifier_call = fetch_die, .priority = 1000 };

/* fetch ADDRESS: call it; code that says 42 is put there first */
static int do_fetch(const struct args *a)
{
	static const u8 code[] = { 0xb8, 42, 0, 0, 0, 0xc3 }; /* mov $42, %eax; ret */
	struct window w = {};
	int (*fn)(void);
	int err, ret;

	err = window_open(&w, a->num[0], "x");
	if (err)
		return err;
	memcpy(w.at, code, sizeof(code));
	fn = (void *)w.at;
	fetch_target = (unsigned long)w.at;
	ret = fn();
	fetch_target = 0;
	window_close(&w);
	if (ret & 0x10000)
		say_fault(ret & 0xffff);
	else
		say("%d\n", ret);
	return 0;
}

/* ---- a frame as page table ---- */

#define WALK_SLOT 200 /* of the top table's kernel half, where nothing is */

/*
 * walk ADDRESS: let the CPU use the frame as a page table of level 3, and load
 * 8 bytes through its entry 0, at 0x1000. The top table is two pages, as the
 * kernel's are: bit 12 of CR3 says whether it is the one for user mode.
 */
static int do_walk(const struct args *a)
{
	unsigned long va = (~0UL << 48) | ((256UL + WALK_SLOT) << 39) | 0x1000, cr3, flags;
	u64 *top = (u64 *)__get_free_pages(GFP_KERNEL, 1), ax = 0, value = 0;
	int fault;

	if (!top)
		return -ENOMEM;
	if (pgtable_l5_enabled()) {
		free_pages((unsigned long)top, 1);
		return -EOPNOTSUPP;
	}
	local_irq_save(flags);
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	memcpy(top, __va(cr3 & PTE_PFN_MASK), PAGE_SIZE);
	top[256 + WALK_SLOT] = (a->num[0] & PAGE_MASK) | _PAGE_TABLE;
	/* another PCID's translations must not be taken: PCID 0 of this table, flushed */
	asm volatile("mov %0, %%cr3" : : "r"((unsigned long)__pa(top)) : "memory");
	TRY(fault, ax, "mov (%[m]), %[v]", [v] "=&r"(value) : [m] "r"(va));
	asm volatile("mov %0, %%cr3" : : "r"(cr3 & ~(1UL << 63)) : "memory");
	local_irq_restore(flags);
	free_pages((unsigned long)top, 1);
	if (fault != NO_FAULT)
		say_fault(fault);
	else
		say("0x%llx\n", value);
	return 0;
}

/* ---- memory of one's own ---- */

static struct page *control;
#define CONTROL_ORDER 2

/* control: address of 4 ordinary frames, filled with a pattern */
static int do_control(const struct args *a)
{
	memset(page_address(control), 0xa5, PAGE_SIZE << CONTROL_ORDER);
	say("%#llx\n", (u64)page_to_phys(control));
	return 0;
}

/* release: give frames with a pattern back to the kernel; where they were */
static int do_release(const struct args *a)
{
	struct page *page = alloc_pages(GFP_KERNEL, 9);

	if (!page)
		return -ENOMEM;
	memset(page_address(page), 0x5a, PAGE_SIZE << 9);
	say("%#lx\n", page_to_pfn(page));
	__free_pages(page, 9);
	return 0;
}

static LIST_HEAD(eaten);

static void give_back(unsigned long keep)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &eaten, lru) {
		if (!keep--)
			break;
		list_del(&page->lru);
		__free_page(page);
	}
}

/* Also what is being freed: a page may come after there was none. */
static void take_all_but(unsigned long pages)
{
	struct page *page;
	int failed = 0;

	while (failed < 2) {
		page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
		if (page) {
			list_add(&page->lru, &eaten);
			failed = 0;
		} else {
			rcu_barrier();
			failed++;
		}
	}
	give_back(pages);
}

static bool eats;
static unsigned long pages_left;

/* Only while a module's init runs: to get it loaded, user space needs memory. */
static int eat_on_module(struct notifier_block *block, unsigned long state, void *module)
{
	if (state == MODULE_STATE_COMING && eats)
		take_all_but(pages_left);
	else
		give_back(ULONG_MAX);
	return NOTIFY_OK;
}

static struct notifier_block module_block = { .notifier_call = eat_on_module };

/* eat KB: modules that are loaded from now on find but so much memory; eat: no more */
static int do_eat(const struct args *a)
{
	eats = a->nr > 0;
	pages_left = eats ? a->num[0] / 4 : 0;
	return 0;
}

const struct command memory_commands[] = {
	{ "load", 2, do_load },	      { "store", 3, do_store }, { "xadd", 3, do_xadd },
	{ "xchg", 3, do_xchg },	      { "and", 3, do_and },	{ "movs", 3, do_movs },
	{ "stos", 3, do_stos },	      { "scan", 3, do_scan },	{ "fetch", 1, do_fetch },
	{ "walk", 1, do_walk },	      { "control", 0, do_control }, { "release", 0, do_release },
	{ "eat", 0, do_eat },
	{}
};

int memory_init(void)
{
	int err;

	control = alloc_pages(GFP_KERNEL, CONTROL_ORDER);
	if (!control)
		return -ENOMEM;
	err = register_die_notifier(&fetch_nb);
	if (err)
		goto out_control;
	err = register_module_notifier(&module_block);
	if (err)
		goto out_die;
	return 0;

out_die:
	unregister_die_notifier(&fetch_nb);
out_control:
	__free_pages(control, CONTROL_ORDER);
	return err;
}

void memory_exit(void)
{
	unregister_module_notifier(&module_block);
	unregister_die_notifier(&fetch_nb);
	give_back(ULONG_MAX);
	__free_pages(control, CONTROL_ORDER);
}
