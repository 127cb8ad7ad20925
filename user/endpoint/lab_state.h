/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_state.h - what the lab has written down about itself: state.json. Written by lab/, read here, so that
 * endpoints can be resolved without knowing how a lab is built.
 *
 * It is a claim, to be checked: a name counts as the lab's only while its inode is the one that is recorded.
 */
#ifndef HF_ENDPOINT_LAB_STATE_H
#define HF_ENDPOINT_LAB_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi.h"
#include "link/netns.h"

#define LAB_NAME_MAX	 10 /* of a node: `veth-` and it are the name of an interface */
#define LAB_PREFIX_MAX	 15
#define LAB_NODES_MAX	 33 /* services and the client */
#define LAB_COMMAND_SIZE 1024
#define LAB_SWITCH	 "lab"
#define LAB_CLIENT	 "client"

struct lab_netns {
	struct netns_id id; /* of the namespace; zeros: not made yet */
	uint64_t cookie; /* netns_cookie(): inode numbers are used again */
	struct netns_id file; /* of the file that it is mounted on */
};

struct lab_node {
	char name[LAB_NAME_MAX + 1];
	struct lab_netns netns;
	pid_t pid; /* process 1 of its pid namespace, seen from outside; 0: none */
	uint64_t start_time; /* of pid */
	uint8_t tier; /* 0: the client, 1: who is called by it, and so on; replicas share one */
	char command
		[LAB_COMMAND_SIZE]; /* of the service: its words after the program, a blank between two */
	struct hf_addr ipv4;
	struct hf_addr ipv6;
};

struct lab_state {
	char prefix[LAB_PREFIX_MAX + 1]; /* of the names in /run/netns */
	bool is_finished; /* false: lab_up is at work, or died */
	bool made_names_dir; /* /run/netns was not there before */
	uint16_t port;
	struct lab_netns hub; /* the namespace of the switch */
	size_t nodes;
	struct lab_node node[LAB_NODES_MAX]; /* the client first */
};

#define LAB_PATH_MAX 256

/* HOPFAULT_RUN_DIR, else /run/hopfault; -EINVAL: not an absolute path, or a long one. */
int lab_run_dir(const char **ret_dir);
/* A file of the lab: RUN_DIR/lab/FILE; ret_path of LAB_PATH_MAX bytes. */
int lab_path(const char *file, char *ret_path);
/* HOPFAULT_LAB_PREFIX, else hf-; -EINVAL: not [a-z0-9-], or longer than LAB_PREFIX_MAX. */
int lab_prefix(const char **ret_prefix);
/* [a-z0-9-] from [a-z0-9] on, 1 to LAB_NAME_MAX characters, not `lab`. */
bool lab_name_is_valid(const char *name);

/* May this be (part of) a command: printable ASCII without quotes and backslashes. */
bool lab_command_is_valid(const char *command);

/* The caller frees it with free(). -ENOENT: there is none; -EBADMSG: it is not what lab/ writes. */
int lab_state_read(struct lab_state **ret_state);
int lab_state_write(const struct lab_state *state); /* atomic: the old one or the new one */
int lab_state_remove(void);

/* Is this the namespace that was written down? */
bool lab_netns_is(const struct lab_netns *written, const struct netns *found);
/* Opens the namespace of a node (or LAB_SWITCH) by its name; -ENOENT also when another one has the name now. */
int lab_netns_open(const struct lab_state *state, const char *node, const struct lab_netns *written,
		   struct netns *ret_ns);
/* The name in /run/netns of a node or of LAB_SWITCH; ret_name of NETNS_NAME_MAX + 1 bytes. */
void lab_netns_name(const struct lab_state *state, const char *node, char *ret_name);

#endif
