// SPDX-License-Identifier: GPL-2.0-only
/* How a share begins: an offer, or that of another is accepted. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "share.h"

static u64 tag_of(u32 tag)
{
	return (u64)monguest_events_bell() << TAG_BELL_SHIFT | tag;
}

static int find_slot(struct share *s)
{
	struct mon_guest_share status;
	int err = 0;

	for (s->slot = 0; err != -ERANGE; s->slot++) {
		err = monguest_share_at(s->slot, &status);
		if (!err && status.id == s->id) {
			s->size = status.pages << PAGE_SHIFT;
			s->writable = status.is_owner || (status.perm & MON_SHARE_WRITE);
			return 0;
		}
	}
	return -ENOENT;
}

static struct share *share_new(void)
{
	struct share *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (s)
		mutex_init(&s->lock);
	return s;
}

/* The monitor knows of the share: if there can be no file, it ends again. */
static long share_open(struct share *s, int fd)
{
	struct file *file = ERR_PTR(-ENOENT);

	if (!find_slot(s))
		file = anon_inode_getfile("[monguest]", &monguest_share_fops, s, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		monguest_share_end(s);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static int offer_share(struct share *s, const struct mon_guest_new *new)
{
	struct mon_guest_offer offer = { .perm = new->perm, .to = new->to, .name = new->name };
	long id;

	s->size = new->pages << PAGE_SHIFT;
	/* In one piece, of memory that is in use and in pieces: it is worth moving some. */
	s->memory = alloc_pages_exact(s->size, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
						       __GFP_RETRY_MAYFAIL);
	if (!s->memory)
		return -ENOMEM;
	s->start = virt_to_phys(s->memory);
	offer.gfn = PHYS_PFN(s->start);
	offer.pages = new->pages;
	/* Only a VM has a bell to ring back. */
	offer.tag = new->to == MON_SHARE_TO_NAME || new->to == MON_SHARE_TO_LAUNCH ?
			    tag_of(new->tag) : new->tag;
	id = monguest_offer(&offer);
	if (id < 0) {
		free_pages_exact(s->memory, s->size);
		return id;
	}
	s->id = id;
	return 0;
}

long monguest_share_offer(void __user *arg)
{
	struct mon_guest_new new = {};
	struct share *s;
	int err, fd;

	err = monguest_copy_in(&new, sizeof(new), MON_GUEST_NEW_SIZE_V1, arg);
	if (err)
		return err;
	if (!new.pages || new.pages > MON_GUEST_PAGES_MAX)
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	s = share_new();
	err = s ? offer_share(s, &new) : -ENOMEM;
	if (!err)
		return share_open(s, fd);
	kfree(s);
	put_unused_fd(fd);
	return err;
}

static int accept_share(struct share *s, const struct mon_guest_take *take)
{
	long err;

	s->id = take->id;
	err = find_slot(s);
	if (!err)
		err = monguest_window_get(&s->window, PFN_UP(s->size));
	if (err)
		return err;
	s->start = s->window.start;
	err = monguest_call(MON_GC_ACCEPT, s->id, PHYS_PFN(s->start), tag_of(take->tag));
	if (err) {
		monguest_window_put(&s->window);
		return err;
	}
	/* Who offered it waits for this; a host does not. */
	monguest_share_signal(s);
	return 0;
}

long monguest_share_accept(void __user *arg)
{
	struct mon_guest_take take = {};
	struct share *s;
	int err, fd;

	err = monguest_copy_in(&take, sizeof(take), MON_GUEST_TAKE_SIZE_V1, arg);
	if (err)
		return err;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	s = share_new();
	err = s ? accept_share(s, &take) : -ENOMEM;
	if (!err)
		return share_open(s, fd);
	kfree(s);
	put_unused_fd(fd);
	return err;
}
