# SPDX-License-Identifier: GPL-2.0-only
#
# For an enclave with SQLite, behind enclave.mk: mon_sqlite.h. SQLite is fetched if it is not there.
MON_SQLITE := $(MON_SDK)/sqlite
MON_SQLITE_SOURCE := $(abspath $(MON_SDK)/../../build/sqlite)
MON_SQLITE_OUT := $(MON_SDK_OUT)/libmonsqlite
ENCLAVE_CFLAGS += -I$(MON_SQLITE) -I$(MON_SQLITE_SOURCE)
ENCLAVE_LIBS += $(MON_SQLITE_OUT).a
MON_SQLITE_OPTIONS := -DSQLITE_OS_OTHER=1 -DSQLITE_THREADSAFE=0 -DSQLITE_ENABLE_MEMSYS5 -DSQLITE_TEMP_STORE=3 \
	-DSQLITE_OMIT_WAL -DSQLITE_OMIT_SHARED_CACHE -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_LOCALTIME \
	-DSQLITE_OMIT_DEPRECATED -DSQLITE_DEFAULT_MEMSTATUS=0 -DSQLITE_DQS=0
mon_sqlite_compile = $(ENCLAVE_CC) $(MON_ENCLAVE_CFLAGS) $(CFLAGS) $(MON_INCLUDE) -I$(MON_SQLITE) \
	-I$(MON_SQLITE_SOURCE)

$(OUT)/$(ENCLAVE).elf: $(MON_SQLITE_OUT).a

$(MON_SQLITE_SOURCE)/sqlite3.c:
	$(MON_SQLITE)/fetch

$(MON_SQLITE_OUT)/sqlite3.o: $(MON_SQLITE_SOURCE)/sqlite3.c $(MON_SQLITE)/sqlite.mk $(MON_SDK)/enclave.mk
	@mkdir -p $(@D)
	$(mon_sqlite_compile) $(MON_SQLITE_OPTIONS) -w -c -o $@ $<

$(MON_SQLITE_OUT)/vfs.o: $(MON_SQLITE)/vfs.c $(MON_SQLITE_SOURCE)/sqlite3.c $(wildcard $(MON_SDK)/*/*/*.h) \
		$(MON_SQLITE)/mon_sqlite.h
	@mkdir -p $(@D)
	$(mon_sqlite_compile) -Wno-unused-parameter -Werror -c -o $@ $<

$(MON_SQLITE_OUT).a: $(MON_SQLITE_OUT)/sqlite3.o $(MON_SQLITE_OUT)/vfs.o
	rm -f $@ && ar rcs $@ $^
