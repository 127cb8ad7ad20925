/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint.h - from a word to the thing that is meant: a network namespace, its interfaces, and for each
 * of them the veth on the host's side, where all work is done.
 *
 *     word  --engine-->  namespace (+ process)  --netlink from inside-->  interfaces, addresses
 *                                               --IFLA_LINK + nsid-->     host side: namespace, ifindex
 *
 * Nothing here believes a path that a container controls. What a resolved endpoint holds is a descriptor of its
 * namespace; the names and numbers in it were true when it was resolved.
 */
#ifndef HF_ENDPOINT_ENDPOINT_H
#define HF_ENDPOINT_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi.h"
#include "link/netlink.h"
#include "link/netns.h"

#define ENDPOINT_NAME_MAX	127 /* characters, prefix and colon included */
#define ENDPOINT_INTERFACES_MAX 16
#define ENDPOINT_ADDRS_MAX	16 /* of one interface */
#define ENDPOINTS_MAX		1024
#define ENDPOINT_ERROR_MAX	512

enum endpoint_kind {
	ENDPOINT_LAB = 1,
	ENDPOINT_NETNS,
	ENDPOINT_PID,
	ENDPOINT_KINDS, /* how many there are, plus one */
};

struct endpoint_addr {
	struct hf_addr addr;
	uint8_t prefix_len; /* counts bits of the 128: an IPv4 /24 is 120 */
	uint8_t scope; /* RT_SCOPE_*: link-local ones are listed too */
};

/* The other end of an endpoint's veth. */
struct endpoint_host_side {
	struct netns netns; /* owned */
	uint32_t ifindex;
	char ifname[IFNAMSIZ];
	uint32_t master; /* its bridge; 0: none */
};

struct endpoint_interface {
	uint32_t ifindex; /* inside */
	char name[IFNAMSIZ];
	uint8_t mac[6];
	struct endpoint_host_side host;
	size_t addrs;
	struct endpoint_addr addr[ENDPOINT_ADDRS_MAX];
};

struct endpoint {
	char name[ENDPOINT_NAME_MAX + 1]; /* without the prefix; for pid: the number */
	enum endpoint_kind kind;
	pid_t pid; /* a process inside; 0: none is known */
	uint64_t start_time; /* of pid; 0 with pid 0 */
	struct netns netns; /* owned */
	size_t interfaces; /* at least one: those with a host side that was found */
	struct endpoint_interface *interface;
};

/*
 * word: `lab:NAME`, `netns:NAME`, `pid:N`, or a bare NAME when one kind alone knows it.
 *
 *   -EINVAL	 not a name
 *   -ENOENT	 nobody knows it (ret_error has up to three that are near)
 *   -ENOTUNIQ	 several kinds know it (ret_error lists them)
 *   -ESRCH	 pid: no such process
 *   -EMEDIUMTYPE it is there and can't be worked on: no veth, or the host's own namespace
 *
 * On failure ret_error (of ENDPOINT_ERROR_MAX bytes, may be NULL) has a sentence for the user, safe to print.
 */
int endpoint_resolve(const char *word, struct endpoint **ret_endpoint, char *ret_error);

/* All that `ps` shows: lab endpoints, then named namespaces with a veth, sorted by name. */
struct endpoint_list {
	size_t count;
	struct endpoint **endpoint; /* owned */
};
int endpoint_list(struct endpoint_list *ret_list);
void endpoint_list_free(struct endpoint_list *list); /* leaves it empty; for _cleanup_ */

struct endpoint *endpoint_free(struct endpoint *endpoint); /* returns NULL */
void endpoint_freep(struct endpoint **endpoint); /* for _cleanup_ */

const char *endpoint_kind_word(enum endpoint_kind kind); /* "lab", "netns", "pid" */
/* "lab:a": resolves to the same endpoint whatever else is called a. */
int endpoint_full_name(const struct endpoint *endpoint, char *ret_name, size_t size);
bool endpoint_name_is_valid(
	const char *name); /* [A-Za-z0-9_.:/@-], 1 to ENDPOINT_NAME_MAX, no lone dots */
/* "10.83.0.2" or "fd83::2"; ret_text of INET6_ADDRSTRLEN bytes. */
const char *endpoint_addr_text(const struct hf_addr *addr, char *ret_text);

#endif
