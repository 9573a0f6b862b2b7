# SPDX-License-Identifier: GPL-2.0-only
#
# make			monitor.ko for the running kernel, and the tools
# make KDIR=...		for the kernel with these headers
# make KERNEL=6.12	for one of the test machine's kernels: 6.1, 6.12, 7.x
# make check		all tests; ONLY=suite,suite for some: see selftests/check --help
# make nightly		also those that take long
# make proof		the model checker's proofs of npt/, TIER=check|full|nightly: Documentation/verification.rst
# make demo, bench	a confidential VM and who looks for its secret; what it costs
# make mutants		breaks each check of npt/ and shows which test notices
# make fuzz		FUZZ_SECONDS=60 for each fuzzer of selftests/fuzz, and in the test machine
# make tcb		lines of trusted code
# make image-hash	what a verifier compares with
# make DEBUG=1 ...	an image that checks itself, for tests: build/image-debug
# make FUZZ=1 ...	an image that says what of it was run: build/image-fuzz
ifdef KERNEL
KDIR = $(shell selftests/machine/kdir $(KERNEL))
KERNEL_MAKE = selftests/machine/kmake $(KERNEL) $(MODULE_DIR)
else
KERNEL_MAKE = $(MAKE) -C $(KDIR) M=$(CURDIR)/$(MODULE_DIR)
endif
KDIR ?= /lib/modules/$(shell uname -r)/build
KREL = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
MODULE_DIR = build/module-$(KREL)$(FLAVOUR)

all: module tools
	@ln -sfn $(MODULE_DIR)/monitor.ko monitor.ko

include image.mk

image: $(IMAGE) $(IMAGE).sha256bin

image-hash: image
	@sha256sum $(IMAGE) | cut -c1-64

# The kernel's build writes beside the sources, so each kernel gets a copy of the few it needs.
module: image
	@test -n "$(KREL)" || { echo "No kernel headers at KDIR=$(KDIR): install linux-headers for your kernel, or set KDIR=" >&2; exit 1; }
	@mkdir -p $(MODULE_DIR)/vmx
	@cp -ru Kbuild module uapi $(IMAGE_DIR)/asm-offsets.h $(MODULE_DIR)/
	@cp -u vmx/gate.S $(MODULE_DIR)/vmx/
	@test $(MODULE_DIR)/module/blob.o -nt $(IMAGE) || \
		{ cp $(IMAGE) $(IMAGE).sha256bin $(MODULE_DIR)/ && touch $(MODULE_DIR)/module/blob.S; }
	+$(KERNEL_MAKE) $(KFLAGS) modules

tools:
	$(MAKE) -s -C tools

packages:
	@selftests/packages

check nightly: packages
	@selftests/check $(if $(ONLY),--only '$(ONLY)') $(if $(filter nightly,$@),--nightly)

mutants: packages
	@selftests/mutants/mutants

fuzz: packages
	@selftests/fuzz/run
	selftests/machine/prepare
	$(MAKE) -s module KERNEL=6.1
	$(MAKE) -s tools
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) selftests/fuzz/machine.nightly

proof: packages
	@selftests/proof/fetch-cbmc
	@selftests/proof/prove --tier $(or $(TIER),full) $(PROOF)

demo bench: packages
	selftests/machine/prepare
	$(MAKE) -s module KERNEL=6.1
	$(MAKE) -s tools
	selftests/$@/run

# Lines of trusted code, without blanks and comments
tcb:
	@selftests/build/tcb

clean:
	rm -rf build/image build/image-* build/module-* build/tools monitor.ko

.PHONY: all image image-hash module tools packages check nightly proof mutants fuzz demo bench tcb clean
