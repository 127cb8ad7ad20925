/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address.c - see address.h. Numeric addresses are tried first, so that they never wait for a name server.
 */
#include "chain/address.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define HOST_BYTES                   \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789.:-_%"

static int refuse(const char *reason, const char **ret_reason)
{
	*ret_reason = reason;
	return -EINVAL;
}

/* Where host and port lie in "[HOST]:PORT", "HOST:PORT", ":PORT" or "PORT". */
static int find_parts(const char *text, const char **ret_host, size_t *ret_len,
		      const char **ret_port, const char **ret_reason)
{
	const char *colon = strrchr(text, ':');
	const char *close = strrchr(text, ']');

	if (text[0] == '[') {
		if (!close || close[1] != ':')
			return refuse("an address in brackets is written [ADDRESS]:PORT",
				      ret_reason);
		*ret_host = text + 1;
		*ret_len = (size_t)(close - text - 1);
		*ret_port = close + 2;
		return 0;
	}
	if (colon && strchr(text, ':') != colon)
		return refuse("an IPv6 address is written in brackets: [ADDRESS]:PORT", ret_reason);
	*ret_host = text;
	*ret_len = colon ? (size_t)(colon - text) : 0;
	*ret_port = colon ? colon + 1 : text;
	return 0;
}

int address_split(const char *text, struct address_text *ret_text, const char **ret_reason)
{
	const char *host, *port;
	uint64_t number;
	size_t len;
	int r;

	r = find_parts(text, &host, &len, &port, ret_reason);
	if (r < 0)
		return r;
	if (len >= sizeof(ret_text->host))
		return refuse("the host's name is too long", ret_reason);
	if (strspn(host, HOST_BYTES) < len)
		return refuse("the host's name has a character that no host's name has",
			      ret_reason);
	r = units_parse_count(port, 0, UINT16_MAX, &number, NULL);
	if (r < 0)
		return refuse("the port is missing, or no number from 0 to 65535", ret_reason);
	memcpy(ret_text->host, host, len);
	ret_text->host[len] = '\0';
	ret_text->port = (uint16_t)number;
	return 0;
}

static int resolve(const struct address_text *text, int flags, struct sockaddr_storage *ret_addr,
		   socklen_t *ret_len)
{
	const struct addrinfo hints = {
		.ai_flags = flags | AI_NUMERICSERV,
		.ai_family = text->host[0] ? AF_UNSPEC : AF_INET6,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;
	char port[8];
	int r;

	snprintf(port, sizeof(port), "%u", text->port);
	r = getaddrinfo(text->host[0] ? text->host : NULL, port, &hints, &found);
	if (r)
		return r == EAI_AGAIN ? -EAGAIN : -ENOENT;
	memcpy(ret_addr, found->ai_addr, found->ai_addrlen);
	*ret_len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int address_resolve(const struct address_text *text, struct sockaddr_storage *ret_addr,
		    socklen_t *ret_len)
{
	int flags = AI_NUMERICHOST | (text->host[0] ? 0 : AI_PASSIVE);

	if (resolve(text, flags, ret_addr, ret_len) == 0)
		return 0;
	return resolve(text, 0, ret_addr, ret_len);
}
