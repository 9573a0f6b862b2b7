/* SPDX-License-Identifier: GPL-2.0-only */
/* SQLite includes it, and without SQLITE_ENABLE_MATH_FUNCTIONS uses nothing of it. */
