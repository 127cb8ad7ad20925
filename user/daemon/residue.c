/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * residue.c - see residue.h. The note is a small JSON file in the run directory, replaced atomically.
 */
#include "daemon/residue.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/wire.h"
#include "endpoint/engine.h"
#include "link/clsact.h"
#include "link/grace.h"
#include "link/qdisc.h"
#include "link/rival.h"

#define PATH_SIZE 256

static json_t *read_note(void)
{
	char path[PATH_SIZE];
	json_t *note = NULL;

	if (wire_path("residue.json", path, sizeof(path)) == 0)
		note = json_load_file(path, 0, NULL);
	if (json_is_array(note))
		return note;
	json_decref(note);
	return json_array();
}

static int write_note(const json_t *note)
{
	char path[PATH_SIZE], fresh[PATH_SIZE];
	int r;

	r = wire_path("residue.json", path, sizeof(path));
	if (r >= 0)
		r = wire_path("residue.json.new", fresh, sizeof(fresh));
	if (r < 0)
		return r;
	if (json_array_size(note) == 0)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	if (json_dump_file(note, fresh, JSON_COMPACT) < 0)
		return -EIO;
	return rename(fresh, path) < 0 ? -errno : 0;
}

static bool is_about(const json_t *entry, struct netns_id id, uint32_t ifindex)
{
	return json_integer_value(json_object_get(entry, "dev")) == (json_int_t)id.dev &&
	       json_integer_value(json_object_get(entry, "ino")) == (json_int_t)id.ino &&
	       json_integer_value(json_object_get(entry, "ifindex")) == (json_int_t)ifindex;
}

/* True when there was an entry. */
static bool remove_entry(json_t *note, const struct netns *netns, uint32_t ifindex)
{
	json_t *entry;
	size_t i;

	json_array_foreach(note, i, entry)
	{
		if (!is_about(entry, netns->id, ifindex))
			continue;
		json_array_remove(note, i);
		return true;
	}
	return false;
}

static bool outlives_us(const struct attachment *hook, uint32_t fq_handle)
{
	for (int i = 0; i < CLSACT_HOOKS; i++)
		if (hook[i].is_attached && hook[i].link_fd < 0)
			return true;
	return fq_handle != 0;
}

int residue_record(const struct netns *netns, uint32_t ifindex, const struct attachment *hook,
		   uint32_t fq_handle)
{
	_cleanup_(json_decrefp) json_t *note = NULL;
	bool made_clsact = hook[0].made_clsact || hook[1].made_clsact;

	if (!outlives_us(hook, fq_handle))
		return 0;
	note = read_note();
	if (!note)
		return -ENOMEM;
	remove_entry(note, netns, ifindex);
	if (json_array_append_new(note, json_pack("{s:I,s:I,s:I,s:b,s:I}", "dev",
						  (json_int_t)netns->id.dev, "ino",
						  (json_int_t)netns->id.ino, "ifindex",
						  (json_int_t)ifindex, "made_clsact", made_clsact,
						  "fq_handle", (json_int_t)fq_handle)) < 0)
		return -ENOMEM;
	return write_note(note);
}

void residue_forget(const struct netns *netns, uint32_t ifindex)
{
	_cleanup_(json_decrefp) json_t *note = read_note();

	if (note && remove_entry(note, netns, ifindex))
		write_note(note);
}

/* ---- clean ---- */

static bool is_noted(const json_t *note, struct netns_id id, uint32_t ifindex)
{
	json_t *entry;
	size_t i;

	json_array_foreach(note, i, entry) if (is_about(entry, id, ifindex)) return true;
	return false;
}

/* Of a device that our note names, all of them: the owner that wrote it is dead. Of others, those whose owner is. */
static void remove_filters(struct netlink *nl, uint32_t ifindex, bool noted,
			   struct residue_result *result)
{
	struct clsact_census census;

	if (clsact_count(nl, ifindex, &census) < 0)
		return;
	for (unsigned int i = 0; i < census.ours && i < ARRAY_SIZE(census.mine); i++)
		if ((noted || !rival_owns_program(census.mine[i].prog_id, 0)) &&
		    clsact_detach(ifindex, census.mine[i].hook, census.mine[i].priority) == 0)
			result->filters++;
}

static void clean_noted(struct netlink *nl, const json_t *entry, struct residue_result *result)
{
	uint32_t ifindex = (uint32_t)json_integer_value(json_object_get(entry, "ifindex"));
	uint32_t fq = (uint32_t)json_integer_value(json_object_get(entry, "fq_handle"));
	struct netlink_link link;
	struct qdisc_root before, after;

	if (netlink_link_by_index(nl, ifindex, &link) < 0) {
		result->devices_gone++;
		return;
	}
	if (fq && qdisc_remove_fq(nl, ifindex, fq) == 0)
		result->fqs++;
	if (!json_is_true(json_object_get(entry, "made_clsact")))
		return;
	if (qdisc_read_root(nl, ifindex, &before) == 0 && before.has_clsact &&
	    clsact_remove_if_empty(nl, ifindex) == 0 && qdisc_read_root(nl, ifindex, &after) == 0 &&
	    !after.has_clsact)
		result->clsacts++;
}

static bool is_worked_on(const struct netlink_link *link)
{
	static const char *const kinds[] = { "veth", "macvlan", "ipvlan" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(link->kind, kinds[i]) == 0)
			return true;
	return false;
}

/* In one namespace: our filters on any device of our kinds, then what the note says of its devices. */
static int clean_namespace(const struct netns *netns, const json_t *note,
			   struct residue_result *result)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	_cleanup_(freep) struct netlink_link *link = NULL;
	json_t *entry;
	size_t links, i;
	int previous, r;

	r = netlink_open(netns->fd, &nl);
	if (r < 0)
		return r;
	r = netlink_list_links(nl, &link, &links);
	if (r < 0)
		return r;
	r = netns_enter(netns->fd, &previous); /* libbpf works where the thread is */
	if (r < 0)
		return r;
	for (i = 0; i < links; i++)
		if (is_worked_on(&link[i]))
			remove_filters(nl, link[i].ifindex,
				       is_noted(note, netns->id, link[i].ifindex), result);
	json_array_foreach(note, i, entry)
	{
		uint32_t ifindex = (uint32_t)json_integer_value(json_object_get(entry, "ifindex"));

		if (is_about(entry, netns->id, ifindex))
			clean_noted(nl, entry, result);
	}
	return netns_leave(&previous);
}

/* Our own, those with a name, and when something is noted those of all processes: it may be inside a container. */
static int clean_all(const json_t *note, struct residue_result *result)
{
	_cleanup_(candidates_free) struct candidates candidates = {};
	int r;

	r = candidates_collect(&candidates);
	if (r >= 0 && json_array_size(note) > 0)
		r = candidates_add_processes(&candidates);
	for (size_t i = 0; r >= 0 && i < candidates.count; i++)
		if (clean_namespace(&candidates.netns[i], note, result) < 0 && i == 0)
			r = -EIO;
	return r;
}

static int clean_knob(struct residue_result *result)
{
	char path[PATH_SIZE];
	int r = wire_path(GRACE_NOTE, path, sizeof(path));

	if (r >= 0)
		r = grace_restore(&(struct grace_files){ .note = path });
	result->knob = r > 0;
	return r < 0 ? r : 0;
}

int residue_clean(struct residue_result *ret_result)
{
	_cleanup_(json_decrefp) json_t *note = read_note(), *nothing = json_array();
	struct residue_result result = {};
	int r;

	if (!note || !nothing)
		return -ENOMEM;
	r = clean_knob(&result);
	if (r >= 0)
		r = clean_all(note, &result);
	if (r >= 0)
		r = write_note(nothing);
	if (r >= 0)
		*ret_result = result;
	return r;
}
