/* SPDX-License-Identifier: GPL-2.0-only */
/* SQLite includes it, and with SQLITE_OMIT_LOCALTIME uses nothing of it. */
