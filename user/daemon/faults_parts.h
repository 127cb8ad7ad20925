/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faults_parts.h - what the files of faults share, and nobody else needs.
 *
 *     faults_add.c      a request becomes a wish: checked
 *     faults_names.c    its words become ids
 *     faults.c          the wish comes into force; healing
 */
#ifndef HF_DAEMON_FAULTS_PARTS_H
#define HF_DAEMON_FAULTS_PARTS_H

#include "daemon/faults.h"

struct faults {
	struct faults_options with;
	struct fault_ids ids;
	struct faultset *live;
	struct caller caller;
};

/* faults_names.c */
struct faults_ids {
	uint32_t *id;
	size_t count;
	bool has_many; /* one of the words meant several: then somebody may be in twice, and is no mistake */
};

/* Is it host, world or the like, which no device stands for? */
bool faults_is_outside(uint32_t id);
void faults_ids_done(struct faults_ids *ids);
int faults_ids_add(struct faults_ids *ids, uint32_t id); /* -ENOMEM */
/* Whom a word means alone; with when_up also one that is not there yet. Errors: those of managed_take(). */
int faults_resolve_one(struct faults *faults, const char *word, bool when_up, uint32_t *ret_id,
		       char *ret_error);
/* A comma list; the parser has seen to it that no name in it is empty. What words meant is added to meant. */
int faults_resolve_list(struct faults *faults, const char *list, bool when_up,
			struct faults_ids *ret_ids, char *meant, char *ret_error);

/* faults.c. All of the wish, or nothing of it; -errno with a sentence in ret_error, or "". */
int faults_add_wish(struct faults *faults, const struct fault_wish *wish, bool force, bool dry_run,
		    struct faults_result *ret_result, char *ret_error);

#endif
