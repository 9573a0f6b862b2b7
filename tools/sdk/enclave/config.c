// SPDX-License-Identifier: GPL-2.0-only
/* For an enclave without MON_ENCLAVE_CONFIG(): from an archive, so it is not there with one. */
#include "mon_enclave.h"

MON_ENCLAVE_CONFIG();
