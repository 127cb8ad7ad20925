/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_parts.h - what a lab is made of; lab.c puts the parts together and takes them apart.
 *
 *     turn       lab_lock.c     the folder, its lock, signals that wait
 *     plan       lab_plan.c     who is there, and with which command
 *     names      lab_names.c    namespaces and their files in /run/netns
 *     links      lab_links.c    the switch, a veth pair for each node, addresses
 *     services   lab_service.c  a process 1 for each, with the service below it
 *     readiness  lab_ready.c    does it listen?
 *
 * lab_X_make() has lab_X_remove() for its mirror. The removers go by what is written down in the state, never by what
 * is in memory, so that they serve a lab_up() that failed and a lab_down() that comes later alike. They may be called
 * for what was never made, or is gone.
 */
#ifndef HF_LAB_LAB_PARTS_H
#define HF_LAB_LAB_PARTS_H

#include <signal.h>

#include "lab/lab.h"

/* A namespace in the making: it has no name yet, and is gone when the descriptors are closed. */
struct lab_space {
	struct netns netns;
	int file_fd; /* a file without a name, to be the mount point */
};

struct lab_spaces {
	struct lab_space hub;
	struct lab_space node[LAB_NODES_MAX]; /* as in the state */
};

int lab_tell(char *ret_error, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Signals that ask to stop wait while they are held. */
void lab_signals_hold(sigset_t *ret_before);
void lab_signals_release(const sigset_t *before);
bool lab_is_interrupted(void);

/* RUN_DIR and RUN_DIR/lab; folders above must be there. */
int lab_folder_make(char *ret_error);
/* What is left in it is ours: nobody else is told of this folder. */
void lab_folder_remove(void);
/* -ENOENT: there is no folder. The lock is let go when the descriptor is closed. */
int lab_folder_lock(int *ret_fd, char *ret_error);

/* As lab_state_read() and lab_state_write(), with a sentence; put: -EINTR when a signal waits. */
int lab_state_get(struct lab_state **ret_state, char *ret_error);
int lab_state_put(const struct lab_state *state, char *ret_error);

/* The nodes with names, tiers, addresses and commands. */
int lab_plan(const struct lab_options *options, struct lab_state *state, char *ret_error);

void lab_spaces_init(struct lab_spaces *spaces);
void lab_spaces_close(struct lab_spaces *spaces); /* for _cleanup_ */

bool lab_names_dir_is_there(void);
/* -EBUSY: a name that is needed is in use. */
int lab_names_check(const struct lab_state *state, char *ret_error);
/* Makes the namespaces and notes in state what they are. */
int lab_spaces_make(struct lab_state *state, struct lab_spaces *ret_spaces, char *ret_error);
/* Gives them their names. The state must have been written before. */
int lab_names_make(const struct lab_state *state, const struct lab_spaces *spaces, char *ret_error);
/* -EBUSY: a foreign thing has one of the names and was left (all others were removed). */
int lab_names_remove(const struct lab_state *state, char *ret_error);

int lab_links_make(const struct lab_state *state, const struct lab_spaces *spaces, char *ret_error);
int lab_links_remove(const struct lab_state *state, char *ret_error);

/* Absolute path of the service's program; freed with free(). */
int lab_program_find(const struct lab_options *options, char **ret_program, char *ret_error);
/*
 * Starts a process for each service, which waits; notes pid and start time in state. lab_services_go() lets them go on.
 * When the caller dies before, they do too.
 */
int lab_services_make(const char *program, struct lab_state *state, const struct lab_spaces *spaces,
		      int *ret_go_fd, char *ret_error);
int lab_services_go(const struct lab_state *state, int go_fd);
/* The same for one of them; its go is lab_service_go(). */
int lab_service_make(const char *program, struct lab_node *node, int netns_fd, int *ret_go_fd,
		     char *ret_error);
int lab_service_go(int go_fd);
int lab_service_end(const struct lab_node *node, char *ret_error);
int lab_services_remove(const struct lab_state *state, char *ret_error);
bool lab_process_is_alive(pid_t pid, uint64_t start_time);

/* The hosts file of all nodes: `10.83.0.2 a`. */
int lab_hosts_write(const struct lab_state *state);

/* Waits until every service accepts a connection from the client; `is_interrupted` ends it with -EINTR. */
int lab_ready_wait(const struct lab_state *state, int client_netns_fd, uint64_t timeout_ns,
		   bool (*is_interrupted)(void), char *ret_error);
/* The same for one of them. */
int lab_ready_wait_one(const struct lab_state *state, const struct lab_node *node,
		       int client_netns_fd, uint64_t timeout_ns, bool (*is_interrupted)(void),
		       char *ret_error);
/* Tries once, for at most 200 ms. */
bool lab_is_listening(const struct lab_state *state, const struct lab_node *node,
		      int client_netns_fd);

#endif
