# SPDX-License-Identifier: GPL-2.0-only
#
# For the Makefile of a program with an enclave:
#
#	ENCLAVE := counter			# counter.elf is made,
#	INTERFACE := counter.h			# by this interface,
#	ENCLAVE_SOURCES := enclave.c		# of these, which run in it
#	HOST_SOURCES := host.c			# and the program "counter", of these
#	include .../tools/sdk/enclave.mk
#
# OUT=: where to. ENCLAVE_CFLAGS, HOST_CFLAGS, HOST_LIBS: more of these. ENCLAVE_BASE: its first
# address; MON_SDK_OUT: where the SDK's own libraries are.
MON_SDK := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
MON_SDK_OUT ?= $(abspath $(MON_SDK)/../../build/tools/sdk)
OUT ?= .
CFLAGS ?= -O2 -g
ENCLAVE_CC ?= gcc

MON_INCLUDE := -I$(MON_SDK)/include -I$(MON_SDK)/../.. -I$(OUT) -I.
MON_ENCLAVE_CFLAGS := -std=gnu11 -Wall -Wextra -DMON_IN_ENCLAVE -ffreestanding -fPIE -fvisibility=hidden \
	-fstack-clash-protection -fstack-protector-strong -fcf-protection=none -fno-common \
	-fno-asynchronous-unwind-tables -nostdinc -isystem $(MON_SDK)/enclave/include \
	-isystem $(shell $(ENCLAVE_CC) -print-file-name=include) -idirafter /usr/include/bearssl
MON_ENCLAVE_LDFLAGS := -nostdlib -static-pie -Wl,-T,$(MON_SDK)/enclave/enclave.lds \
	-Wl,-z,text -Wl,--no-undefined -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
	$(if $(ENCLAVE_BASE),-Wl$(comma)--defsym=mon_base=$(ENCLAVE_BASE))
comma := ,

ifdef ENCLAVE
INTERFACE_NAME := $(basename $(notdir $(INTERFACE)))

all: $(OUT)/$(ENCLAVE).elf $(OUT)/$(ENCLAVE)

$(OUT)/$(INTERFACE_NAME)_enclave.c: $(INTERFACE) $(MON_SDK_OUT)/mongen
	@mkdir -p $(@D)
	$(MON_SDK_OUT)/mongen --enclave $< >$@.new && mv $@.new $@

$(OUT)/$(INTERFACE_NAME)_host.c: $(INTERFACE) $(MON_SDK_OUT)/mongen
	@mkdir -p $(@D)
	$(MON_SDK_OUT)/mongen --host $< >$@.new && mv $@.new $@

$(OUT)/$(ENCLAVE).elf: $(ENCLAVE_SOURCES) $(OUT)/$(INTERFACE_NAME)_enclave.c $(INTERFACE) \
		$(MON_SDK_OUT)/libmonruntime.a $(MON_SDK)/enclave/enclave.lds
	$(ENCLAVE_CC) $(MON_ENCLAVE_CFLAGS) $(CFLAGS) $(MON_INCLUDE) $(ENCLAVE_CFLAGS) $(MON_ENCLAVE_LDFLAGS) \
		-o $@ $(ENCLAVE_SOURCES) $(OUT)/$(INTERFACE_NAME)_enclave.c \
		-Wl,--start-group $(MON_SDK_OUT)/libmonruntime.a $(ENCLAVE_LIBS) -Wl,--end-group -l:libbearssl.a -lgcc \
		$(MON_SDK_OUT)/libmonruntime.a

$(OUT)/$(ENCLAVE): $(HOST_SOURCES) $(OUT)/$(INTERFACE_NAME)_host.c $(INTERFACE) \
		$(MON_SDK_OUT)/libmonenclave.a
	$(CC) -std=gnu11 -Wall -Wextra -D_GNU_SOURCE $(CFLAGS) -I$(MON_SDK)/host $(MON_INCLUDE) \
		$(HOST_CFLAGS) $(LDFLAGS) -o $@ $(HOST_SOURCES) $(OUT)/$(INTERFACE_NAME)_host.c \
		$(MON_SDK_OUT)/libmonenclave.a -lcrypto -lpthread $(HOST_LIBS)

.PHONY: all
endif
