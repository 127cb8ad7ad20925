/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exit.c - end the guest with a status, through QEMU's isa-debug-exit device.
 *
 *   vmtest-exit N     makes QEMU's own exit status 2 N + 1, at once
 *
 * Cloud kernels have no /dev/port, so the port is written from here. A status of 0 becomes 1: QEMU's
 * plain 0 (a reboot after a panic, with -no-reboot) can never be taken for a success.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <unistd.h>

#define DEBUG_EXIT_PORT 0x501 /* as -device isa-debug-exit,iobase= says in vmtest/run */
#define STATUS_MAX	126 /* 2 * 126 + 1 still fits an exit status of eight bits */

int main(int argc, char **argv)
{
	int status = argc > 1 ? atoi(argv[1]) : STATUS_MAX;

	if (status < 0 || status > STATUS_MAX)
		status = STATUS_MAX;
	if (ioperm(DEBUG_EXIT_PORT, 1, 1) < 0) {
		perror("vmtest-exit: ioperm");
		return EXIT_FAILURE;
	}
	outb((unsigned char)status, DEBUG_EXIT_PORT);
	pause(); /* not reached: the machine is gone */
	return EXIT_FAILURE;
}
