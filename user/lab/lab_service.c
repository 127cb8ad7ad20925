/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_service.c - the services' processes.
 *
 *     lab_up --clone: new pid, mount and uts namespace--> process 1 --fork--> the service
 *                                                         (waits for its children, ends with the service)
 *
 * A process waits at a pipe until it is written down, and ends when the pipe closes before. It is ended by the kill of
 * its process 1, with all that it started. A number is only ever signalled through a pidfd, after its start time was
 * found to be the one that is written down.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lab/lab_parts.h"

#define PROGRAM	      "hopchain"
#define LOG_MAX_BYTES (16 * 1024 * 1024) /* of what a service may write to one file */
#define END_WAIT_MS   5000
#define ARGUMENTS_MAX 128

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static char *program_beside_us(void)
{
	char exe[PATH_MAX], path[PATH_MAX + sizeof(PROGRAM) + 1], *slash;
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (len <= 0)
		return NULL;
	exe[len] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	snprintf(path, sizeof(path), "%s/%s", exe, PROGRAM);
	return is_program(path) ? strdup(path) : NULL;
}

/* Empty and relative folders of PATH are passed over: what is meant would depend on where one stands. */
static char *program_in_path(void)
{
	const char *at = getenv("PATH");
	char path[PATH_MAX];

	while (at && *at) {
		size_t len = strcspn(at, ":");

		if (at[0] == '/' && len < sizeof(path) - sizeof(PROGRAM) - 1) {
			snprintf(path, sizeof(path), "%.*s/%s", (int)len, at, PROGRAM);
			if (is_program(path))
				return strdup(path);
		}
		at += len + (at[len] == ':');
	}
	return NULL;
}

int lab_program_find(const struct lab_options *options, char **ret_program, char *ret_error)
{
	char *program;

	if (options->program) {
		program = is_program(options->program) ? realpath(options->program, NULL) : NULL;
		if (!program)
			return lab_tell(ret_error, -ENOENT, "%s is not a program",
					options->program);
	} else {
		program = program_beside_us();
		if (!program)
			program = program_in_path();
		if (!program)
			return lab_tell(ret_error, -ENOENT,
					"%s is neither beside this program nor in PATH", PROGRAM);
	}
	*ret_program = program;
	return 0;
}

/* A service's words, as execv() wants them; text is kept here. */
struct command {
	const char *word[ARGUMENTS_MAX + 1];
	char text[LAB_COMMAND_SIZE];
};

static int command_make(const char *program, const struct lab_node *node, struct command *command)
{
	size_t words = 0;
	char *rest = NULL;

	*command = (struct command){ 0 };
	strcpy(command->text, node->command);
	command->word[words++] = program;
	for (char *word = strtok_r(command->text, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest)) {
		if (words == ARGUMENTS_MAX)
			return -E2BIG;
		command->word[words++] = word;
	}
	return 0;
}

/* What a process 1 must know. All of it is made before the clone. */
struct start {
	const struct command *command;
	const char *name;
	int netns_fd;
	int go_fd;
	char log_path[LAB_PATH_MAX];
	char hosts_path[LAB_PATH_MAX];
};

static _Noreturn void give_up(const char *what)
{
	dprintf(STDERR_FILENO, "lab: can't %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void forget_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

/* All of the caller's files but two: his end of the pipe too, or it would never close; and his lock. */
static void keep_only(int a, int b)
{
	int low = smaller(a, b), high = a + b - low;

	if (low > 3)
		syscall(SYS_close_range, 3, low - 1, 0);
	if (high > low + 1)
		syscall(SYS_close_range, low + 1, high - 1, 0);
	syscall(SYS_close_range, high + 1, ~0U, 0);
}

static void wait_for_go(int fd)
{
	char byte;
	ssize_t n;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(1); /* whoever started us has gone before we were written down */
}

static void open_log(const char *path)
{
	int log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW, 0644);
	int null_fd = open("/dev/null", O_RDWR);

	if (log_fd < 0 || null_fd < 0)
		_exit(1);
	dup2(null_fd, STDIN_FILENO);
	dup2(log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
}

/*
 * Own /proc and /etc/hosts. Mounts and unmounts outside reach in here, not the other way; and the names of other
 * network namespaces are let go, which would otherwise live as long as we do.
 */
static void arrange_mounts(const struct start *start)
{
	if (mount("none", "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		give_up("leave the host's mounts");
	umount2(NETNS_NAMES_DIR, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		give_up("mount /proc");
	if (mount(start->hosts_path, "/etc/hosts", "none", MS_BIND, NULL) < 0 && errno != ENOENT)
		give_up("mount /etc/hosts"); /* ENOENT: a system without one; --next is an address */
}

static _Noreturn void run_service(const struct command *command)
{
	const struct rlimit limit = { .rlim_cur = LOG_MAX_BYTES, .rlim_max = LOG_MAX_BYTES };

	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, SIG_IGN); /* a full log is an error of write(), not the end */
	execv(command->word[0], (char *const *)command->word);
	give_up("run the service");
}

static void tell_end(int status)
{
	if (WIFSIGNALED(status))
		dprintf(STDERR_FILENO, "lab: the service was ended by signal %d\n",
			WTERMSIG(status));
	else
		dprintf(STDERR_FILENO, "lab: the service ended with status %d\n",
			WEXITSTATUS(status));
}

static _Noreturn void supervise(pid_t service)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, 0);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			_exit(1);
		if (pid == service) {
			tell_end(status);
			_exit(0);
		}
	}
}

static _Noreturn void process_one(const struct start *start)
{
	pid_t service;

	forget_signals();
	keep_only(start->netns_fd, start->go_fd);
	setsid();
	prctl(PR_SET_NAME, "lab-service");
	wait_for_go(start->go_fd);
	open_log(start->log_path);
	if (setns(start->netns_fd, CLONE_NEWNET) < 0)
		give_up("enter the network namespace");
	arrange_mounts(start);
	if (sethostname(start->name, strlen(start->name)) < 0)
		give_up("set the host name");
	if (chdir("/") < 0 || syscall(SYS_close_range, 3, ~0U, 0) < 0)
		give_up("let go of the caller's files");
	service = fork();
	if (service < 0)
		give_up("start the service");
	if (service == 0)
		run_service(start->command);
	supervise(service);
}

static int start_one(const struct start *start, struct lab_node *node)
{
	long pid =
		syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		return -errno;
	if (pid == 0)
		process_one(start);
	node->pid = (pid_t)pid;
	return process_start_time(node->pid, &node->start_time);
}

static int service_make(const char *program, struct lab_node *node, int netns_fd, int go_fd)
{
	char log_name[LAB_NAME_MAX + 8];
	struct command command;
	struct start start = {
		.command = &command,
		.name = node->name,
		.netns_fd = netns_fd,
		.go_fd = go_fd,
	};
	int r;

	snprintf(log_name, sizeof(log_name), "%s.log", node->name);
	r = command_make(program, node, &command);
	if (r == 0)
		r = lab_path(log_name, start.log_path);
	if (r == 0)
		r = lab_path("hosts", start.hosts_path);
	return r < 0 ? r : start_one(&start, node);
}

int lab_services_make(const char *program, struct lab_state *state, const struct lab_spaces *spaces,
		      int *ret_go_fd, char *ret_error)
{
	_cleanup_(closep) int go_read = -1;
	int pipe_fd[2], r = 0;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return -errno;
	go_read = pipe_fd[0];
	*ret_go_fd = pipe_fd[1];
	for (size_t i = 1; i < state->nodes && r == 0; i++)
		r = service_make(program, &state->node[i], spaces->node[i].netns.fd, go_read);
	if (r < 0)
		return lab_tell(ret_error, r, "can't start a service: %s", strerror(-r));
	return 0;
}

static int say_go(int go_fd, size_t services)
{
	static const char go[LAB_NODES_MAX];

	return write(go_fd, go, services) == (ssize_t)services ? 0 : -EPIPE;
}

int lab_services_go(const struct lab_state *state, int go_fd)
{
	return say_go(go_fd, state->nodes - 1);
}

int lab_service_make(const char *program, struct lab_node *node, int netns_fd, int *ret_go_fd,
		     char *ret_error)
{
	_cleanup_(closep) int go_read = -1;
	int pipe_fd[2], r;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return -errno;
	go_read = pipe_fd[0];
	*ret_go_fd = pipe_fd[1];
	r = service_make(program, node, netns_fd, go_read);
	if (r < 0)
		return lab_tell(ret_error, r, "can't start service %s: %s", node->name,
				strerror(-r));
	return 0;
}

int lab_service_go(int go_fd)
{
	return say_go(go_fd, 1);
}

bool lab_process_is_alive(pid_t pid, uint64_t start_time)
{
	_cleanup_(closep) int pidfd = -1;
	struct pollfd poll_fd;
	uint64_t found;

	if (pid <= 0)
		return false;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0 || process_start_time(pid, &found) < 0 || found != start_time)
		return false;
	poll_fd = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	return poll(&poll_fd, 1, 0) == 0; /* readable: dead, though nobody may have asked yet */
}

/* ret_pidfd -1: it is not there any more. */
static int open_if_ours(const struct lab_node *node, int *ret_pidfd)
{
	_cleanup_(closep) int pidfd = -1;
	uint64_t found;

	*ret_pidfd = -1;
	if (node->pid <= 0)
		return 0;
	pidfd = (int)syscall(SYS_pidfd_open, node->pid, 0);
	if (pidfd < 0)
		return errno == ESRCH ? 0 : -errno;
	if (process_start_time(node->pid, &found) == 0 && found == node->start_time)
		*ret_pidfd = TAKE_FD(pidfd);
	return 0;
}

static int end_service(const struct lab_node *node, int *ret_pidfd)
{
	int r;

	r = open_if_ours(node, ret_pidfd);
	if (r < 0 || *ret_pidfd < 0)
		return r;
	if (syscall(SYS_pidfd_send_signal, *ret_pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return -errno;
	return 0;
}

static int wait_for_end(int pidfd, pid_t pid)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int n;

	do {
		n = poll(&poll_fd, 1, END_WAIT_MS);
	} while (n < 0 && errno == EINTR);
	if (n < 1)
		return -ETIMEDOUT;
	waitpid(pid, NULL, WNOHANG); /* when it is a child of ours */
	return 0;
}

static int tell_not_ended(const struct lab_node *node, int r, char *ret_error)
{
	return lab_tell(ret_error, r, "service %s (process %d) can't be ended: %s", node->name,
			(int)node->pid, strerror(-r));
}

/* All are told to end before one is waited for. */
int lab_services_remove(const struct lab_state *state, char *ret_error)
{
	int pidfd[LAB_NODES_MAX], r[LAB_NODES_MAX], first = 0;

	for (size_t i = 0; i < state->nodes; i++)
		r[i] = end_service(&state->node[i], &pidfd[i]);
	for (size_t i = 0; i < state->nodes; i++) {
		if (pidfd[i] >= 0 && r[i] == 0)
			r[i] = wait_for_end(pidfd[i], state->node[i].pid);
		closep(&pidfd[i]);
		if (r[i] < 0 && first == 0)
			first = tell_not_ended(&state->node[i], r[i], ret_error);
	}
	return first;
}

int lab_service_end(const struct lab_node *node, char *ret_error)
{
	_cleanup_(closep) int pidfd = -1;
	int r;

	r = end_service(node, &pidfd);
	if (r == 0 && pidfd >= 0)
		r = wait_for_end(pidfd, node->pid);
	return r < 0 ? tell_not_ended(node, r, ret_error) : 0;
}
