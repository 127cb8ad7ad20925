/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export_data.h - made-up runs for the tests of user/export: five services in a chain, the same numbers on every machine.
 */
#ifndef HOPFAULT_TESTS_EXPORT_DATA_H
#define HOPFAULT_TESTS_EXPORT_DATA_H

#include <stddef.h>

#include "export/export.h"

#define DATA_CALLS 5
#define DATA_START 1000000000ULL

extern const struct export_run data_baseline, data_injected;

/* The n-th chain client->a->b->c->d->e: with `delay_ns` on every request but the first. Its calls are in `call`. */
struct chain data_chain(struct call call[DATA_CALLS], unsigned int n, uint64_t delay_ns);
/* A call whose times are all unknown. */
struct call data_unknown_call(void);

/* Writes `chains` chains of the run in hand. */
void data_export(struct export *export, const struct export_run *run, unsigned int chains,
		 uint64_t delay_ns);

/* The whole file, to be freed. */
char *data_read_file(const char *path);
/* A new empty folder, whose name is put into `path`. */
void data_make_folder(char *path, size_t size);
void data_remove_folder(const char *path);

/* Asserts that the file is what tests/golden/NAME says. With GOLDEN_WRITE=1 in the environment NAME is written instead. */
void data_assert_golden(const char *path, const char *name);

#endif
