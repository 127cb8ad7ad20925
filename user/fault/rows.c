/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rows.c - see rows.h.
 */
#include "fault/rows.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "fault/links.h"
#include "hash.h"

/* Eight times what is usual for FAULTSET_LINKS_MAX links and their quarantine: never needed. */
#define HOMES_MAX (1U << 19)

static bool begins_link(const struct compiled_rule *rule, size_t i)
{
	return i == 0 || link_key_compare(&rule[i - 1].link, &rule[i].link) != 0;
}

static uint32_t home_of(const struct hf_link_key *link, uint32_t homes)
{
	return 1 + hash_link(link, homes - 1);
}

/* A free row for the first rule of a link; 0: there are too many links of its home. */
static uint32_t take_first(struct rows *rows, uint32_t homes, const struct hf_link_key *link)
{
	uint32_t at = home_of(link, homes), links = 1;

	if (!rows->row[at].link.dst)
		return at;
	for (; rows->row[at].other; links++) {
		assert(link_key_compare(&rows->row[at].link, link) != 0);
		at = rows->row[at].other;
	}
	assert(link_key_compare(&rows->row[at].link, link) != 0); /* its rules stand together */
	if (links == HF_HOME_LINKS_MAX)
		return 0;
	return rows->row[at].other = (uint32_t)rows->count++;
}

static uint32_t take_further(struct rows *rows, uint32_t last)
{
	return rows->row[last].further = (uint32_t)rows->count++;
}

static bool fill(struct rows *rows, uint32_t homes, const struct compiled_rule *rule, size_t rules)
{
	uint32_t at = 0;

	rows->count = 1 + homes;
	rows->row[0].homes_mask = homes - 1;
	for (size_t i = 0; i < rules; i++) {
		at = begins_link(rule, i) ? take_first(rows, homes, &rule[i].link)
					  : take_further(rows, at);
		if (at == 0)
			return false;
		rows->row[at].link = rule[i].link;
		rows->row[at].rule = rule[i].rule;
	}
	return true;
}

static uint32_t homes_for(const struct compiled_rule *rule, size_t rules)
{
	size_t links = 0;
	uint32_t homes = 1;

	for (size_t i = 0; i < rules; i++)
		links += begins_link(rule, i);
	while (homes < 2 * links)
		homes *= 2;
	return homes;
}

int rows_make(const struct compiled_rule *rule, size_t rules, struct rows *ret_rows)
{
	for (uint32_t homes = homes_for(rule, rules); homes <= HOMES_MAX; homes *= 2) {
		_cleanup_(rows_done) struct rows rows = {
			.row = calloc(1 + homes + rules, sizeof(*rows.row)),
		};

		if (!rows.row)
			return -ENOMEM;
		if (!fill(&rows, homes, rule, rules))
			continue;
		*ret_rows = rows;
		rows.row = NULL;
		return 0;
	}
	return -ENOMEM;
}

void rows_done(struct rows *rows)
{
	free(rows->row);
	rows->row = NULL;
}
