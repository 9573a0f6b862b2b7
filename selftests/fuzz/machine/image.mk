# SPDX-License-Identifier: GPL-2.0-only
# FUZZ=1: an image that says what of it was run, and checks itself when it is asked to.
# FUZZ=planted: with a hole, which a fuzzer has to find. Part of image.mk.
FUZZ_DIR := selftests/fuzz/machine
IMAGE_EXTRA += -DNPT_GHOST -DINV_APART
IMAGE_LDFLAGS += --wrap=host_hypercall -Map=$(IMAGE_DIR)/monitor.map
COVERAGE = -fsanitize-coverage=trace-pc,trace-cmp
EXCLUDE += npt/compose.c npt/share.c core/vm.c
STUB += selftests/proof/invariants.c $(FUZZ_DIR)/check.c $(FUZZ_DIR)/cover.c $(FUZZ_DIR)/$(if $(filter planted,$(FUZZ)),planted.c,sound.c)

# Who counts is not counted, nor who checks.
$(IMAGE_DIR)/selftests/proof/invariants.o: COVERAGE :=
$(IMAGE_DIR)/$(FUZZ_DIR)/cover.o: COVERAGE :=
