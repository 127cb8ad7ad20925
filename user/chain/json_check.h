/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_check.h - may these bytes stand inside a JSON document of ours?
 *
 * The next service's answer is nested into our own as it came. It is another program's bytes, so it
 * is looked at first; a whole parser would cost more than all the rest of a request.
 */
#ifndef HF_CHAIN_JSON_CHECK_H
#define HF_CHAIN_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#define JSON_DEPTH_MAX 64

/* One JSON value (RFC 8259) and nothing behind it; nested at most JSON_DEPTH_MAX deep. UTF-8 is not verified. */
bool json_is_one_value(const char *bytes, size_t len);

#endif
