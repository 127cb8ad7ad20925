/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint.h - from a word to the thing that is meant: a network namespace, its interfaces, and for each
 * of them the veth on the host's side, where all work is done (of a macvlan or ipvlan: the interface itself).
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

struct endpoint_sockets;

#define ENDPOINT_NAME_MAX	 127 /* characters, prefix and colon included */
#define ENDPOINT_INTERFACES_MAX	 16
#define ENDPOINT_ADDRS_MAX	 16 /* of one interface */
#define ENDPOINTS_MAX		 1024
#define ENDPOINT_ERROR_MAX	 512
#define ENDPOINT_NETWORK_MAX	 63 /* characters of an engine's network's name */
#define ENDPOINT_ID_MAX		 64
#define ENDPOINT_REASON_MAX	 160
#define ENDPOINT_ENGINES_WAIT_NS 2000000000ULL /* for all engines together */

enum endpoint_kind {
	ENDPOINT_LAB = 1,
	ENDPOINT_NETNS,
	ENDPOINT_PID,
	ENDPOINT_DOCKER,
	ENDPOINT_PODMAN,
	ENDPOINT_CONTAINERD,
	ENDPOINT_UNIT,
	ENDPOINT_KINDS, /* how many there are, plus one */
};

/* As a container engine says it. */
enum endpoint_state {
	ENDPOINT_STATE_UNKNOWN = 0, /* also: no engine that has states */
	ENDPOINT_RUNNING,
	ENDPOINT_PAUSED, /* its network is there */
	ENDPOINT_RESTARTING,
	ENDPOINT_CREATED,
	ENDPOINT_EXITED,
	ENDPOINT_DEAD, /* or being removed */
};

/* In what way a word means an endpoint; the smaller the number, the stronger. */
enum endpoint_match {
	ENDPOINT_MATCH_NOT = 0,
	ENDPOINT_MATCH_NAME,
	ENDPOINT_MATCH_SERVICE, /* compose */
	ENDPOINT_MATCH_ID, /* or its beginning */
	ENDPOINT_MATCH_MANY, /* by label or expression */
};

struct endpoint_addr {
	struct hf_addr addr;
	uint8_t prefix_len; /* counts bits of the 128: an IPv4 /24 is 120 */
	uint8_t scope; /* RT_SCOPE_*: link-local ones are listed too */
	bool is_inside; /* its interface is worked on inside */
};

/*
 * Where work is done for an interface: at the other end of the endpoint's veth. A macvlan or an ipvlan has none; then it is
 * the interface itself, in the endpoint's own namespace, where what comes in has the direction that goes out elsewhere.
 */
struct endpoint_host_side {
	struct netns netns; /* owned */
	uint32_t ifindex;
	char ifname[IFNAMSIZ];
	uint32_t master; /* its bridge; 0: none */
	char bridge[IFNAMSIZ]; /* that one's name; "": none */
	bool is_inside; /* the interface itself */
	struct netns
		below; /* owned; is_inside: of the device that it is on. NETNS_NONE: not found, or not inside */
};

struct endpoint_interface {
	uint32_t ifindex; /* inside */
	char name[IFNAMSIZ];
	uint8_t mac[6];
	char network[ENDPOINT_NETWORK_MAX + 1]; /* the engine's name for it; "": none is known */
	struct endpoint_host_side host;
	size_t addrs;
	struct endpoint_addr addr[ENDPOINT_ADDRS_MAX];
};

struct endpoint {
	char name[ENDPOINT_NAME_MAX + 1]; /* without the prefix; for pid: the number */
	enum endpoint_kind kind;
	char id[ENDPOINT_ID_MAX + 1]; /* of a container: changes when it is made anew; "" else */
	char project[ENDPOINT_NAME_MAX + 1]; /* of compose; "" else */
	char service[ENDPOINT_NAME_MAX + 1];
	char owner[ENDPOINT_NAME_MAX +
		   1]; /* the container whose namespace this one shares; "" else */
	char owner_id[ENDPOINT_ID_MAX + 1]; /* its id */
	enum endpoint_state state;
	pid_t pid; /* a process inside; 0: none is known */
	uint64_t start_time; /* of pid; 0 with pid 0 */
	struct netns netns; /* owned */
	size_t interfaces; /* those with a host side that was found */
	struct endpoint_interface *interface;
	char left_out[IFNAMSIZ +
		      48]; /* "eth1 is a macvtap": nothing can be done there; "" when that is all */
	char refusal
		[ENDPOINT_REASON_MAX]; /* "" when there is an interface, else why there is none */
};

struct endpoint_list {
	size_t count;
	struct endpoint **endpoint; /* owned */
};

/*
 * All that a word means, each with an interface at least, each network namespace once:
 *
 *     a, lab:a, netns:hf-a, pid:77                 one
 *     web, docker:web, podman:web, 4f1c09b2        one container, by name or the beginning of its id (4 digits or more)
 *     web, shop/web, docker:shop/web               a compose service: as many as it is scaled to
 *     label:app=web, docker:label:app=web          all running containers with that label
 *     ~web-.*, docker:~web-.*                      whole names, by POSIX extended regular expression (see selector.h)
 *     containerd:4f1c09b2, unit:nginx.service      found in /proc, without an engine
 *
 * A bare word must have one meaning, whoever has it: a name, a service or an id; then it is not left to chance (or to
 * whoever names a container `cache`) who is meant. With a prefix a name comes before a service, and that before an id.
 * Containers that are not running are left out where several are meant.
 *
 *   -EINVAL	 not a name
 *   -ENOENT	 nobody knows it (ret_error has up to three that are near, and which engine could not be asked)
 *   -ENOTUNIQ	 it has several meanings (ret_error lists them)
 *   -ESRCH	 pid: no such process
 *   -EHOSTDOWN	 a container of this name is known and does not run
 *   -EMEDIUMTYPE it is there and can't be worked on: no veth, or the host's own namespace
 *   -EACCES, -ETIMEDOUT, -EBADMSG, ... the engine of the prefix can't be asked
 *
 * Waits for engines, up to ENDPOINT_ENGINES_WAIT_NS in all. On failure ret_error (of ENDPOINT_ERROR_MAX bytes, may be
 * NULL) has a sentence for the user, safe to print.
 *
 * Engines are asked at `sockets`; the functions without them take what the environment says (see sockets.h).
 */
int endpoint_select(const char *word, struct endpoint_list *ret_list, char *ret_error);
int endpoint_select_at(const struct endpoint_sockets *sockets, const char *word,
		       struct endpoint_list *ret_list, char *ret_error);

/* The one that a word means; -ENOTUNIQ when it means several (ret_error lists them). Else as endpoint_select(). */
int endpoint_resolve(const char *word, struct endpoint **ret_endpoint, char *ret_error);
int endpoint_resolve_at(const struct endpoint_sockets *sockets, const char *word,
			struct endpoint **ret_endpoint, char *ret_error);

/*
 * All that `ps` shows, engine by engine, sorted by name; a container that can't be worked on too, with its refusal.
 * ret_trouble (of ENDPOINT_ERROR_MAX bytes, may be NULL): which engines could not be asked, or "".
 */
int endpoint_list(struct endpoint_list *ret_list, char *ret_trouble);
int endpoint_list_at(const struct endpoint_sockets *sockets, struct endpoint_list *ret_list,
		     char *ret_trouble);
void endpoint_list_free(struct endpoint_list *list); /* leaves it empty; for _cleanup_ */

struct endpoint *endpoint_free(struct endpoint *endpoint); /* returns NULL */
void endpoint_freep(struct endpoint **endpoint); /* for _cleanup_ */

/* What a user calls its network: the engine's name, else the bridge's, else "-". */
const char *endpoint_interface_network(const struct endpoint_interface *interface);
/* "world", "host": ids that have no device; NULL: none of them. */
const char *endpoint_reserved_name(uint32_t id);
const char *endpoint_kind_word(enum endpoint_kind kind); /* "lab", "netns", "pid", ... */
const char *endpoint_state_word(enum endpoint_state state); /* "running", ...; "" for unknown */
/* "lab:a": resolves to the same endpoint whatever else is called a. */
int endpoint_full_name(const struct endpoint *endpoint, char *ret_name, size_t size);
bool endpoint_name_is_valid(
	const char *name); /* [A-Za-z0-9_.:/@-], 1 to ENDPOINT_NAME_MAX, no lone dots */
/* "10.83.0.2" or "fd83::2"; ret_text of INET6_ADDRSTRLEN bytes. */
const char *endpoint_addr_text(const struct hf_addr *addr, char *ret_text);

#endif
