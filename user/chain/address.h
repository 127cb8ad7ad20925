/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address.h - "HOST:PORT" as people write it: 10.0.0.1:80, [fd00::1]:80, b:8080, and to listen at, :80 or 80.
 */
#ifndef HF_CHAIN_ADDRESS_H
#define HF_CHAIN_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_HOST_MAX 64

struct address_text {
	char host[ADDRESS_HOST_MAX]; /* without brackets; "" when none is written */
	uint16_t port;
};

/*
 * Cuts it in two. Hosts are letters, digits and . : - _ % only, so they may be quoted anywhere without escapes.
 * -EINVAL, with a constant sentence in `ret_reason`.
 */
int address_split(const char *text, struct address_text *ret_text, const char **ret_reason);

/*
 * A numeric address, or a name (the first of its addresses). An empty host is every address, IPv4 and IPv6.
 * 0, -ENOENT (no such name), -EAGAIN (a name server did not answer).
 */
int address_resolve(const struct address_text *text, struct sockaddr_storage *ret_addr,
		    socklen_t *ret_len);

#endif
