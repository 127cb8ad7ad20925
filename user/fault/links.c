/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * links.c - a growing list of directed links.
 *
 * Nobody is ever linked to himself here: what an endpoint says to itself passes no veth.
 */
#include "fault/links.h"

#include <errno.h>
#include <stdlib.h>

void links_done(struct links *links)
{
	free(links->link);
	*links = (struct links){};
}

static int make_room(struct links *links, size_t more)
{
	size_t room = links->room ? links->room : 16;
	struct hf_link_key *link;

	if (more > SIZE_MAX / sizeof(*link) / 4 - links->count)
		return -ENOMEM;
	while (room < links->count + more)
		room *= 2;
	if (room == links->room)
		return 0;
	link = reallocarray(links->link, room, sizeof(*link));
	if (!link)
		return -ENOMEM;
	links->link = link;
	links->room = room;
	return 0;
}

static bool link_is_possible(uint32_t src, uint32_t dst)
{
	return src != dst && src != HF_ENDPOINT_NONE && dst != HF_ENDPOINT_NONE;
}

int links_add(struct links *links, uint32_t src, uint32_t dst)
{
	int r;

	if (!link_is_possible(src, dst))
		return -EINVAL;
	r = make_room(links, 1);
	if (r < 0)
		return r;
	links->link[links->count++] = (struct hf_link_key){ .src = src, .dst = dst };
	return 0;
}

/* Everything is checked here, so that links_add_between() can't fail half-way. */
static int check_between(const uint32_t *src, size_t srcs, const uint32_t *dst, size_t dsts,
			 uint32_t *ret_self)
{
	for (size_t i = 0; i < srcs; i++)
		for (size_t j = 0; j < dsts; j++) {
			if (link_is_possible(src[i], dst[j]))
				continue;
			if (ret_self)
				*ret_self = src[i];
			return -EINVAL;
		}
	return 0;
}

static void add_checked(struct links *links, uint32_t src, uint32_t dst)
{
	links->link[links->count++] = (struct hf_link_key){ .src = src, .dst = dst };
}

int links_add_between(struct links *links, const uint32_t *src, size_t srcs, const uint32_t *dst,
		      size_t dsts, bool both, uint32_t *ret_self)
{
	size_t pairs;
	int r;

	if (__builtin_mul_overflow(srcs, dsts, &pairs) || pairs > SIZE_MAX / 2)
		return -ENOMEM;
	r = check_between(src, srcs, dst, dsts, ret_self);
	if (r < 0)
		return r;
	r = make_room(links, both ? 2 * pairs : pairs);
	if (r < 0)
		return r;
	for (size_t i = 0; i < srcs; i++)
		for (size_t j = 0; j < dsts; j++) {
			add_checked(links, src[i], dst[j]);
			if (both)
				add_checked(links, dst[j], src[i]);
		}
	return 0;
}

int link_key_compare(const struct hf_link_key *a, const struct hf_link_key *b)
{
	if (a->src != b->src)
		return a->src < b->src ? -1 : 1;
	return a->dst < b->dst ? -1 : a->dst > b->dst;
}

static int compare(const void *a, const void *b)
{
	return link_key_compare(a, b);
}

void links_sort_unique(struct links *links)
{
	size_t kept = 0;

	if (links->count)
		qsort(links->link, links->count, sizeof(*links->link), compare);
	for (size_t i = 0; i < links->count; i++)
		if (kept == 0 || link_key_compare(&links->link[kept - 1], &links->link[i]))
			links->link[kept++] = links->link[i];
	links->count = kept;
}

const struct hf_link_key *links_find(const struct hf_link_key *sorted, size_t count,
				     const struct hf_link_key *key)
{
	return count ? bsearch(key, sorted, count, sizeof(*sorted), compare) : NULL;
}
