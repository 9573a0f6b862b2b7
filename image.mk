# SPDX-License-Identifier: GPL-2.0-only
# The monitor image: a freestanding ELF, the same bytes for every kernel.
#
# DEBUG=1: another image, that looks at all its tables after calls of the host and of guests,
# and watches over flushes; slow, and nothing that a verifier would accept.
FLAVOUR := $(if $(DEBUG),-debug)$(if $(FUZZ),-fuzz$(addprefix -,$(FUZZ:1=)))
ifdef DEBUG
IMAGE_EXTRA += -DNPT_GHOST
EXCLUDE += npt/compose.c npt/share.c core/vm.c
STUB += selftests/proof/image_check.c
endif
IMAGE_DIR := build/image$(FLAVOUR)
ifdef FUZZ
include selftests/fuzz/machine/image.mk
endif
IMAGE := $(IMAGE_DIR)/monitor.elf
IMAGE_C := $(filter-out vmx/asm-offsets.c $(EXCLUDE), \
	$(wildcard core/*.c core/disk/*.c core/io/*.c npt/*.c vmx/*.c)) $(STUB)
IMAGE_S := $(wildcard vmx/*.S)
IMAGE_OBJ := $(IMAGE_C:%.c=$(IMAGE_DIR)/%.o) $(IMAGE_S:%.S=$(IMAGE_DIR)/%.o)
IMAGE_CFLAGS := -std=gnu11 -O2 -g0 -Wall -Wextra -Werror -Wno-unused-parameter -ffreestanding -fpie \
	-mcmodel=small -mgeneral-regs-only -mno-red-zone -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-jump-tables -ffile-prefix-map=$(CURDIR)=. \
	-I$(IMAGE_DIR) $(IMAGE_EXTRA)

$(IMAGE_DIR)/%.o: %.c image.mk
	@mkdir -p $(@D)
	@echo "  CC      $@" && $(CC) $(IMAGE_CFLAGS) $(COVERAGE) -MMD -MP -c -o $@ $<

# Vector registers, which vmx/vectors.c saves, are used here and nowhere else.
$(IMAGE_DIR)/core/gcm.o: IMAGE_CFLAGS := $(filter-out -mgeneral-regs-only,$(IMAGE_CFLAGS)) \
	-msse4.1 -maes -mpclmul

$(IMAGE_DIR)/%.o: %.S $(IMAGE_DIR)/asm-offsets.h image.mk
	@mkdir -p $(@D)
	@echo "  CC      $@" && $(CC) -I$(IMAGE_DIR) -MMD -MP -c -o $@ $<

$(IMAGE_DIR)/asm-offsets.h: vmx/asm-offsets.c image.mk
	@mkdir -p $(@D)
	@echo "  CC      $@" && $(CC) $(IMAGE_CFLAGS) -MMD -MP -MT $@ -MF $(IMAGE_DIR)/asm-offsets.d -S -o $@.s $<
	@sed -n 's/.*@\(#define [A-Z0-9_]* \)\$$*\([0-9]*\)@.*/\1\2/p' $@.s > $@

# An undefined symbol, a relocation or a dynamic section fails the link.
$(IMAGE): $(IMAGE_OBJ) vmx/image.lds
	@echo "  LD      $@" && $(LD) -nostdlib -static -z noexecstack -z max-page-size=4096 --no-undefined --orphan-handling=error \
		--build-id=none $(IMAGE_LDFLAGS) -s -T vmx/image.lds -o $@ $(IMAGE_OBJ)

$(IMAGE).sha256bin: $(IMAGE)
	@sha256sum $< | cut -c1-64 | xxd -r -p > $@

-include $(shell find $(IMAGE_DIR) -name '*.d' 2>/dev/null)
