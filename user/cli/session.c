/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.c - see session.h.
 *
 * A socket is asked itself (pidfd_getfd, getsockname, SIOCGSKNS), no table is read: what is found is true whatever
 * namespace the process is in, and a machine with a million connections costs nothing. Processes and descriptors that
 * are looked at are bounded; their names are data, and only lead to a question that the user can answer with `force`.
 */
#include "cli/session.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ANCESTORS_MAX	  64
#define DESCRIPTORS_MAX	  1024 /* of one process */
#define SSH_PROCESSES_MAX 256
#define COMM_MAX	  16

/* ---- processes ---- */

/* Its name and its parent; false: there is none. The name may have blanks and brackets in it. */
static bool read_process(pid_t pid, char comm[COMM_MAX], pid_t *ret_parent)
{
	char path[32], line[512] = "";
	const char *name, *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	name = strchr(line, '(');
	end = strrchr(line, ')');
	if (!name || !end || end < name || sscanf(end, ") %*c %d", ret_parent) != 1)
		return false;
	snprintf(comm, COMM_MAX, "%.*s", (int)(end - name - 1), name + 1);
	return true;
}

/* Also "sshd-session", as OpenSSH 9.8 calls it. */
static bool is_server(const char *comm)
{
	return strncmp(comm, "sshd", 4) == 0 || strcmp(comm, "dropbear") == 0;
}

static bool is_ssh(const char *comm)
{
	return is_server(comm) || strcmp(comm, "ssh") == 0 || strcmp(comm, "dbclient") == 0;
}

/* ---- sockets ---- */

static bool take_address(const struct sockaddr_storage *from, struct hf_addr *addr, uint16_t *port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;

	if (from->ss_family == AF_INET) {
		*addr = (struct hf_addr){ .byte = { [10] = 0xff, [11] = 0xff } };
		memcpy(addr->byte + 12, &v4->sin_addr, 4);
		*port = ntohs(v4->sin_port);
		return true;
	}
	if (from->ss_family != AF_INET6)
		return false;
	memcpy(addr->byte, &v6->sin6_addr, 16);
	*port = ntohs(v6->sin6_port);
	return true;
}

static bool is_tcp(int fd)
{
	int protocol = 0;
	socklen_t size = sizeof(protocol);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
	       protocol == IPPROTO_TCP;
}

static bool ask_socket(int fd, struct session *ret_session)
{
	struct sockaddr_storage local = {}, remote = {};
	socklen_t local_size = sizeof(local), remote_size = sizeof(remote);
	_cleanup_(closep) int netns = -1;
	struct session session = {};
	struct stat st;

	if (!is_tcp(fd) || getsockname(fd, (struct sockaddr *)&local, &local_size) < 0 ||
	    getpeername(fd, (struct sockaddr *)&remote, &remote_size) < 0 ||
	    !take_address(&local, &session.local, &session.local_port) ||
	    !take_address(&remote, &session.remote, &session.remote_port))
		return false;
	netns = ioctl(fd, SIOCGSKNS);
	if (netns < 0 || fstat(netns, &st) < 0)
		return false;
	session.netns = (struct netns_id){ .dev = st.st_dev, .ino = st.st_ino };
	*ret_session = session;
	return true;
}

/* A descriptor of another process; its name in /proc is asked first, so that files and pipes are let alone. */
static bool ask_descriptor(int pidfd, DIR *folder, const char *name, struct session *ret_session)
{
	_cleanup_(closep) int fd = -1;
	char target[16];
	ssize_t n = readlinkat(dirfd(folder), name, target, sizeof(target));

	if (n < 8 || memcmp(target, "socket:[", 8) != 0)
		return false;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(name), 0);
	return fd >= 0 && ask_socket(fd, ret_session);
}

/* Which of a process's connections is wanted. */
typedef bool (*wanted_fn)(const struct session *session, const void *than);

/* The first by number: an sshd was born with its connection, what it forwards came later. */
static bool find_connection(pid_t pid, wanted_fn is_wanted, const void *than,
			    struct session *ret_session)
{
	_cleanup_(closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct session session;
	struct dirent *entry;
	char path[32];
	bool found = false;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = pidfd >= 0 ? opendir(path) : NULL;
	if (!folder)
		return false;
	for (int i = 0; i < DESCRIPTORS_MAX && !found && (entry = readdir(folder)); i++)
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    ask_descriptor(pidfd, folder, entry->d_name, &session) &&
		    is_wanted(&session, than)) {
			*ret_session = session;
			found = true;
		}
	closedir(folder);
	return found;
}

static bool any(const struct session *session, const void *than)
{
	return true;
}

/* ---- the way from us to the user ---- */

/* Of several sshd in a row the outermost that has one: the user's own holds what is forwarded as well. */
bool session_of_process(pid_t pid, struct session *ret_session)
{
	bool found = false, is_sshd = false;
	char comm[COMM_MAX];
	pid_t parent;

	for (int i = 0; i < ANCESTORS_MAX && pid > 1 && read_process(pid, comm, &parent); i++) {
		if (is_sshd && !is_server(comm))
			break;
		is_sshd = is_server(comm);
		if (is_sshd)
			found = find_connection(pid, any, NULL, ret_session) || found;
		pid = parent;
	}
	return found;
}

static bool take_text(char *address, const char *port, struct hf_addr *ret_addr, uint16_t *ret_port)
{
	char *end;
	long number = strtol(port, &end, 10);

	address[strcspn(address, "%")] = '\0'; /* fe80::1%eth0 */
	*ret_addr = (struct hf_addr){ .byte = { [10] = 0xff, [11] = 0xff } };
	if (inet_pton(AF_INET, address, ret_addr->byte + 12) != 1 &&
	    inet_pton(AF_INET6, address, ret_addr->byte) != 1)
		return false;
	if (*end || number <= 0 || number > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)number;
	return true;
}

bool session_from_environment(const char *text, struct session *ret_session)
{
	char remote[64], remote_port[8], local[64], local_port[8];
	struct session session = *ret_session;

	if (sscanf(text, "%63s %7s %63s %7s", remote, remote_port, local, local_port) != 4 ||
	    !take_text(remote, remote_port, &session.remote, &session.remote_port) ||
	    !take_text(local, local_port, &session.local, &session.local_port))
		return false;
	*ret_session = session;
	return true;
}

static bool own_session(struct session *ret_session)
{
	_cleanup_(netns_close) struct netns here = NETNS_NONE;
	const char *said = getenv("SSH_CONNECTION");

	if (session_of_process(getpid(), ret_session))
		return true;
	if (!said || netns_open_self(&here) < 0)
		return false;
	*ret_session = (struct session){ .netns = here.id };
	return session_from_environment(said, ret_session);
}

/* ---- and through whom ---- */

static bool is_other_end(const struct session *session, const void *of)
{
	const struct session *other = of;

	return session->local_port == other->remote_port &&
	       session->remote_port == other->local_port &&
	       memcmp(&session->local, &other->remote, sizeof(session->local)) == 0 &&
	       memcmp(&session->remote, &other->local, sizeof(session->remote)) == 0;
}

/* The ssh or sshd on this machine, in whatever namespace, that has the other end. 0: none. */
static pid_t process_at_other_end(const struct session *session)
{
	struct session found;
	struct dirent *entry;
	char comm[COMM_MAX];
	pid_t pid = 0, at, parent;
	int left = SSH_PROCESSES_MAX;
	DIR *folder = opendir("/proc");

	if (!folder)
		return 0;
	while (!pid && left && (entry = readdir(folder))) {
		at = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
		if (at <= 0 || !read_process(at, comm, &parent) || !is_ssh(comm))
			continue;
		left--;
		if (find_connection(at, is_other_end, session, &found))
			pid = at;
	}
	closedir(folder);
	return pid;
}

static bool is_same(const struct session *a, const struct session *b)
{
	return a->local_port == b->local_port && a->remote_port == b->remote_port &&
	       memcmp(&a->local, &b->local, sizeof(a->local)) == 0 &&
	       memcmp(&a->remote, &b->remote, sizeof(a->remote)) == 0;
}

size_t sessions_find(struct session ret_session[SESSIONS_MAX])
{
	size_t count = own_session(&ret_session[0]);
	pid_t pid;

	while (count && count < SESSIONS_MAX) {
		pid = process_at_other_end(&ret_session[count - 1]);
		if (!pid || !session_of_process(pid, &ret_session[count]) ||
		    is_same(&ret_session[count], &ret_session[count - 1]))
			break;
		count++;
	}
	return count;
}

/* ---- told ---- */

static json_t *session_json(const struct session *session, bool is_before)
{
	char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, session->local.byte, local, sizeof(local));
	inet_ntop(AF_INET6, session->remote.byte, remote, sizeof(remote));
	return json_pack("{s:s,s:i,s:s,s:i,s:I,s:I,s:b}", "local", local, "local_port",
			 (int)session->local_port, "remote", remote, "remote_port",
			 (int)session->remote_port, "netns_dev", (json_int_t)session->netns.dev,
			 "netns_ino", (json_int_t)session->netns.ino, "before", (int)is_before);
}

void sessions_add(json_t *request)
{
	struct session session[SESSIONS_MAX];
	size_t count = sessions_find(session);
	json_t *list;

	if (!count)
		return;
	list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, session_json(&session[i], i > 0));
	json_object_set_new(request, "sessions", list);
}
