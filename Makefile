# SPDX-License-Identifier: GPL-2.0-only
KDIR ?= /lib/modules/$(shell uname -r)/build
KREL = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
MODULE_DIR = build/module-$(KREL)

all: module

include image.mk

image: $(IMAGE) $(IMAGE).sha256bin

image-hash: image
	@sha256sum $(IMAGE) | cut -c1-64

# The kernel's build writes beside the sources, so each kernel gets a copy of the few it needs.
module: image
	@test -n "$(KREL)" || { echo "No kernel headers at KDIR=$(KDIR): install linux-headers for your kernel, or set KDIR=" >&2; exit 1; }
	@mkdir -p $(MODULE_DIR)/vmx
	@cp -ru Kbuild module uapi build/image/asm-offsets.h $(MODULE_DIR)/
	@cp -u vmx/gate.S $(MODULE_DIR)/vmx/
	@test $(MODULE_DIR)/module/blob.o -nt $(IMAGE) || \
		{ cp $(IMAGE) $(IMAGE).sha256bin $(MODULE_DIR)/ && touch $(MODULE_DIR)/module/blob.S; }
	$(MAKE) -C $(KDIR) M=$(CURDIR)/$(MODULE_DIR) $(KFLAGS) modules

clean:
	rm -rf build/image build/module-*

.PHONY: all image image-hash module clean
