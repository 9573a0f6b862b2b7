// SPDX-License-Identifier: GPL-2.0-only
/* Enclaves of the monitor's: made, measured, and given what they need. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "internal.h"
#include "uapi/monitor.h"

#define FRAMES_FIRST 64 /* of heap and stacks, to begin with */
#define FRAMES_STEP 256

static int open_device(void)
{
	int fd = open("/dev/monitor", O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return mon_fail("the monitor is not there (no /dev/monitor): load the module, or "
				"use the simulation");
	if (fd < 0)
		return mon_fail("/dev/monitor: %s", strerror(errno));
	return fd;
}

static int create(struct mon_enclave *mon, const struct mon_image *image)
{
	struct mon_enclave_create c = { .size = sizeof(c), .policy = image->policy };
	unsigned long long pages = 2, zero, i;
	int device;

	for (i = 0; i < image->nr_pages; i++)
		pages += image->perm[i] != 0;
	zero = (mon->layout.heap_end - mon->layout.heap + mon->layout.stacks_end -
		mon->layout.stacks) /
	       MON_PAGE;
	mon->frames = pages + (zero < FRAMES_FIRST ? zero : FRAMES_FIRST);
	mon->frames_max = pages + zero;
	c.frames = mon->frames;
	device = open_device();
	if (device < 0)
		return -1;
	mon->fd = ioctl(device, MON_IOC_ENCLAVE_CREATE, &c);
	if (mon->fd < 0)
		mon_fail("%s: the monitor makes no enclave of %llu pages: %s", mon->path,
			 mon->frames,
			 errno == EOPNOTSUPP ? "this CPU lacks what enclaves need"
			 : errno == ENOTTY   ? "it has no enclaves; it is too old"
					     : strerror(errno));
	close(device);
	return mon->fd < 0 ? -1 : 0;
}

static int add_some(struct mon_enclave *mon, const struct mon_image *image,
		    unsigned long long first, unsigned long long nr)
{
	struct mon_enclave_add a = { .size = sizeof(a),
				     .perm = image->perm[first],
				     .address = image->base + first * MON_PAGE,
				     .source = (unsigned long)image->page + first * MON_PAGE,
				     .pages = nr };

	while (ioctl(mon->fd, MON_IOC_ENCLAVE_ADD, &a)) {
		if (errno != EINTR)
			return mon_fail("%s: the monitor does not take the pages at %#llx: %s",
					mon->path,
					(unsigned long long)a.address + a.added * MON_PAGE,
					strerror(errno));
		a.address += a.added * MON_PAGE;
		a.source += a.added * MON_PAGE;
		a.pages -= a.added;
		a.added = 0;
	}
	return 0;
}

static int add_all(struct mon_enclave *mon, const struct mon_image *image)
{
	unsigned long long i, end;

	for (i = 0; i < image->nr_pages; i = end) {
		for (end = i + 1; end < image->nr_pages && image->perm[end] == image->perm[i];
		     end++)
			;
		if (image->perm[i] && add_some(mon, image, i, end - i))
			return -1;
	}
	return 0;
}

static int finish(struct mon_enclave *mon, const struct mon_image *image)
{
	struct mon_enclave_info info = { .size = sizeof(info) };
	unsigned char wanted[32];

	if (ioctl(mon->fd, MON_IOC_ENCLAVE_FINISH, &info))
		return mon_fail("%s: the monitor does not finish it: %s", mon->path,
				strerror(errno));
	if (mon_image_measure(image, wanted))
		return -1;
	if (memcmp(wanted, info.measurement, sizeof(wanted)))
		return mon_fail("%s: the monitor has measured something else than this file",
				mon->path);
	return 0;
}

int mon_real_open(struct mon_enclave *mon, const struct mon_image *image)
{
	if (create(mon, image) || add_all(mon, image) || finish(mon, image))
		return -1;
	mon->buffer = mmap(NULL, mon->layout.buffer_end - mon->layout.buffer,
			   PROT_READ | PROT_WRITE, MAP_SHARED, mon->fd, 0);
	if (mon->buffer == MAP_FAILED) {
		mon->buffer = NULL;
		return mon_fail("%s: cannot map the shared memory: %s", mon->path, strerror(errno));
	}
	return 0;
}

/* It has touched new memory, and owns as much as it may. */
static int refill(struct mon_enclave *mon)
{
	struct mon_vm_frames f = { .size = sizeof(f) };
	int result = 0;

	pthread_mutex_lock(&mon->lock);
	f.frames = mon->frames_max - mon->frames;
	if (f.frames > FRAMES_STEP)
		f.frames = FRAMES_STEP;
	if (!f.frames)
		result = mon_fail("%s: it wants more memory than its ranges have", mon->path);
	while (!result && ioctl(mon->fd, MON_IOC_ENCLAVE_REFILL, &f))
		if (errno != EINTR)
			result = mon_fail("%s: no memory for %llu pages more: %s", mon->path,
					  (unsigned long long)f.frames, strerror(errno));
	if (!result)
		mon->frames += f.frames;
	pthread_mutex_unlock(&mon->lock);
	return result;
}

static int real_run(struct mon_enclave *mon, struct mon_enclave_run *run)
{
	for (;;) {
		if (!ioctl(mon->fd, MON_IOC_ENCLAVE_RUN, run)) {
			if (run->exit == MON_ENCLAVE_NEEDS_FRAME) {
				if (run->value[0] == 1 && refill(mon))
					return -1;
			} else if (run->exit != MON_ENCLAVE_INTERRUPTED) {
				return 0;
			}
		} else if (errno != EINTR) {
			return mon_fail("%s: thread %u cannot run: %s", mon->path, run->thread,
					strerror(errno));
		}
		run->op = MON_ENCLAVE_RESUME;
	}
}

int mon_run(struct mon_enclave *mon, struct mon_enclave_run *run)
{
	return mon->sim ? mon_sim_run(mon, run) : real_run(mon, run);
}

static int open_file(struct mon_enclave *mon, const char *path)
{
	struct mon_image image;
	int result;

	if (mon->flags & ~(MON_OPEN_SIM | MON_OPEN_PRINT))
		return mon_fail("mon_open: unknown flags %#x", mon->flags);
	if (mon->flags & MON_OPEN_SIM)
		return mon_sim_open(mon, path);
	if (mon_image_read(&image, path, 0))
		return -1;
	mon->layout = image.layout;
	result = mon_real_open(mon, &image);
	mon_image_free(&image);
	return result;
}

struct mon_enclave *mon_open(const char *path, unsigned int flags)
{
	struct mon_enclave *mon = calloc(1, sizeof(*mon));

	if (!mon) {
		mon_fail("no memory");
		return NULL;
	}
	pthread_mutex_init(&mon->lock, NULL);
	pthread_cond_init(&mon->idle, NULL);
	mon->fd = -1;
	mon_files_init(&mon->files);
	mon->flags = flags;
	mon->path = strdup(path);
	if (mon->path && !mon_signature_read(mon) && !open_file(mon, path))
		return mon;
	mon_close(mon);
	return NULL;
}

void mon_close(struct mon_enclave *mon)
{
	if (!mon)
		return;
	if (mon->sim)
		mon_sim_close(mon);
	else if (mon->buffer)
		munmap(mon->buffer, mon->layout.buffer_end - mon->layout.buffer);
	if (mon->fd >= 0)
		close(mon->fd);
	mon_files_close(&mon->files);
	pthread_mutex_destroy(&mon->lock);
	pthread_cond_destroy(&mon->idle);
	free(mon->signature);
	free(mon->path);
	free(mon);
}

void mon_set_data(struct mon_enclave *mon, void *data)
{
	mon->data = data;
}

void *mon_data(const struct mon_enclave *mon)
{
	return mon->data;
}
