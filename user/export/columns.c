/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * columns.c - hops.csv's columns, each with what writes it.
 *
 * The order is part of the format: other people's scripts count columns. What is appended here goes to the
 * end, and
 * raises EXPORT_SCHEMA_VERSION.
 */
#include "export/columns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "export/measure.h"

#define NS_PER_S 1000000000LL

/* Digits from the right; snprintf is five times slower, and this runs fifty times for each call. */
static void put_number(struct field *field, uint64_t number)
{
	char *at = field->buffer + sizeof(field->buffer) - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	field->text = at;
}

static void put_hex(struct field *field, const uint8_t *byte, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		field->buffer[2 * i] = digit[byte[i] >> 4];
		field->buffer[2 * i + 1] = digit[byte[i] & 15];
	}
	field->buffer[2 * len] = '\0';
	field->text = field->buffer;
}

static void put_id(struct field *field, uint64_t id)
{
	uint8_t byte[8];
	int i;

	for (i = 0; i < 8; i++)
		byte[i] = (uint8_t)(id >> (56 - 8 * i));
	if (id)
		put_hex(field, byte, sizeof(byte));
}

#define PUT(name)                                                                 \
	static void put_##name(struct field *field, const struct export_run *run, \
			       const struct call *call, const struct column *column)

PUT(schema_version)
{
	(void)run, (void)call, (void)column;
	put_number(field, EXPORT_SCHEMA_VERSION);
}

PUT(run_id)
{
	(void)call, (void)column;
	field->text = run->run_id;
}

PUT(trace_id)
{
	(void)run, (void)column;
	put_hex(field, call->trace_id, sizeof(call->trace_id));
}

PUT(span_id)
{
	(void)run, (void)column;
	put_id(field, call->span_id);
}

PUT(parent_span_id)
{
	(void)run, (void)column;
	put_id(field, call->parent_span_id);
}

/* The argument says where in struct call the endpoint's id is. */
PUT(endpoint)
{
	uint32_t id = *(const uint32_t *)((const char *)call + column->argument);

	field->text = export_endpoint_name(run, id, field->buffer);
}

PUT(addr)
{
	const struct hf_addr *addr = (const void *)((const char *)call + column->argument);
	struct in6_addr in6;

	(void)run;
	memcpy(&in6, addr->byte, sizeof(in6));
	if (IN6_IS_ADDR_UNSPECIFIED(&in6))
		return;
	if (IN6_IS_ADDR_V4MAPPED(&in6))
		field->text =
			inet_ntop(AF_INET, addr->byte + 12, field->buffer, sizeof(field->buffer));
	else
		field->text = inet_ntop(AF_INET6, addr->byte, field->buffer, sizeof(field->buffer));
}

/* A number of 16 bits of which 0 means unknown: ports, status. */
PUT(known_u16)
{
	uint16_t number = *(const uint16_t *)((const char *)call + column->argument);

	(void)run;
	if (number)
		put_number(field, number);
}

PUT(u32)
{
	(void)run;
	put_number(field, *(const uint32_t *)((const char *)call + column->argument));
}

PUT(u64)
{
	uint64_t number = *(const uint64_t *)((const char *)call + column->argument);

	(void)run;
	if (number != TIME_UNKNOWN)
		put_number(field, number);
}

PUT(string)
{
	(void)run;
	field->text = (const char *)call + column->argument;
}

PUT(proto)
{
	(void)run, (void)column;
	if (call->proto == IPPROTO_TCP)
		field->text = "tcp";
	else if (call->proto == IPPROTO_UDP)
		field->text = "udp";
	else if (call->proto)
		put_number(field, call->proto);
}

/* RFC 3339, UTC, with all nine digits. */
PUT(start_time)
{
	int64_t ns = (int64_t)call->start_mono_ns + run->realtime_offset_ns;
	time_t seconds = (time_t)(ns / NS_PER_S);
	struct tm tm;
	size_t len;

	(void)column;
	if (call->start_mono_ns == TIME_UNKNOWN || ns < 0 || !gmtime_r(&seconds, &tm))
		return;
	len = strftime(field->buffer, sizeof(field->buffer), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(field->buffer + len, sizeof(field->buffer) - len, ".%09lldZ",
		 (long long)(ns % NS_PER_S));
	field->text = field->buffer;
}

PUT(measure)
{
	uint64_t ns = measure_of(call, (enum measure)column->argument);

	(void)run;
	if (ns != TIME_UNKNOWN)
		put_number(field, ns);
}

PUT(rule_ids)
{
	size_t len = 0;
	int i;

	(void)run, (void)column;
	for (i = 0; i < CALL_RULES_MAX && call->rule_id[i]; i++) {
		int wrote = snprintf(field->buffer + len, sizeof(field->buffer) - len, "%s%u",
				     i ? ";" : "", call->rule_id[i]);

		if (wrote < 0 || (size_t)wrote >= sizeof(field->buffer) - len)
			break;
		len += (size_t)wrote;
	}
	if (len)
		field->text = field->buffer;
}

PUT(link_method)
{
	(void)run, (void)column;
	if (call->link_method < LINK_METHOD_COUNT)
		field->text = link_method_name((enum link_method)call->link_method);
}

/* At most four decimals; written by hand because printf asks the locale for its comma. */
PUT(link_confidence)
{
	double confidence = call->link_confidence;
	unsigned int parts;
	int len;

	(void)run, (void)column;
	if (!(confidence >= 0 && confidence <= 1))
		return;
	parts = (unsigned int)(confidence * 10000 + 0.5);
	len = snprintf(field->buffer, sizeof(field->buffer), "%u.%04u", parts / 10000,
		       parts % 10000);
	while (field->buffer[len - 1] == '0')
		field->buffer[--len] = '\0';
	if (field->buffer[len - 1] == '.')
		field->buffer[--len] = '\0';
	field->text = field->buffer;
}

PUT(shape)
{
	(void)run, (void)column;
	field->text = call_shape_name((enum call_shape)call->shape);
}

PUT(complete)
{
	(void)run, (void)column;
	field->text = call->complete ? "1" : "0";
}

/* ---- the way back ---- */

#define TAKE(name) \
	static bool take_##name(const char *text, struct call *call, const struct column *column)

/* Digits only, no sign; empty is `unknown`. */
static bool read_number(const char *text, uint64_t most, uint64_t unknown, uint64_t *ret_number)
{
	if (text[0] == '\0') {
		*ret_number = unknown;
		return true;
	}
	return units_parse_count(text, 0, most, ret_number, NULL) == 0;
}

static bool read_hex(const char *text, uint8_t *byte, size_t len)
{
	unsigned int value;
	size_t i;

	if (strlen(text) != 2 * len || strspn(text, "0123456789abcdef") != 2 * len)
		return false;
	for (i = 0; i < len; i++) {
		if (sscanf(text + 2 * i, "%2x", &value) != 1)
			return false;
		byte[i] = (uint8_t)value;
	}
	return true;
}

static bool read_id(const char *text, uint64_t *ret_id)
{
	uint8_t byte[8] = {};
	uint64_t id = 0;
	int i;

	if (text[0] && !read_hex(text, byte, sizeof(byte)))
		return false;
	for (i = 0; i < 8; i++)
		id = id << 8 | byte[i];
	*ret_id = id;
	return true;
}

TAKE(trace_id)
{
	(void)column;
	return read_hex(text, call->trace_id, sizeof(call->trace_id));
}

TAKE(span_id)
{
	(void)column;
	return read_id(text, &call->span_id) && call->span_id;
}

TAKE(parent_span_id)
{
	(void)column;
	return read_id(text, &call->parent_span_id);
}

TAKE(addr)
{
	struct hf_addr *addr = (void *)((char *)call + column->argument);

	if (text[0] == '\0' || inet_pton(AF_INET6, text, addr->byte) == 1)
		return true;
	memset(addr->byte + 10, 0xff, 2);
	return inet_pton(AF_INET, text, addr->byte + 12) == 1;
}

TAKE(known_u16)
{
	uint64_t number;

	if (!read_number(text, UINT16_MAX, 0, &number))
		return false;
	*(uint16_t *)((char *)call + column->argument) = (uint16_t)number;
	return true;
}

TAKE(u32)
{
	uint64_t number;

	if (!read_number(text, UINT32_MAX, 0, &number))
		return false;
	*(uint32_t *)((char *)call + column->argument) = (uint32_t)number;
	return true;
}

TAKE(u64)
{
	return read_number(text, UINT64_MAX, TIME_UNKNOWN,
			   (uint64_t *)((char *)call + column->argument));
}

TAKE(method)
{
	(void)column;
	snprintf(call->method, sizeof(call->method), "%s", text);
	return true;
}

TAKE(path)
{
	(void)column;
	snprintf(call->path, sizeof(call->path), "%s", text);
	return true;
}

TAKE(proto)
{
	uint64_t number = !strcmp(text, "tcp")	 ? IPPROTO_TCP
			  : !strcmp(text, "udp") ? IPPROTO_UDP
						 : 0;

	(void)column;
	if (!number && !read_number(text, UINT8_MAX, 0, &number))
		return false;
	call->proto = (uint8_t)number;
	return true;
}

TAKE(measure)
{
	uint64_t ns;

	if (!read_number(text, UINT64_MAX, TIME_UNKNOWN, &ns))
		return false;
	measure_set(call, (enum measure)column->argument, ns);
	return true;
}

TAKE(rule_ids)
{
	unsigned int count = 0;
	char *end;

	(void)column;
	while (*text && count < CALL_RULES_MAX) {
		call->rule_id[count++] = (uint32_t)strtoul(text, &end, 10);
		if (end == text || (*end != ';' && *end != '\0'))
			return false;
		text = *end ? end + 1 : end;
	}
	return true;
}

TAKE(link_method)
{
	int i;

	(void)column;
	for (i = 0; i < LINK_METHOD_COUNT; i++) {
		if (!strcmp(text, link_method_name((enum link_method)i))) {
			call->link_method = (uint8_t)i;
			return true;
		}
	}
	return false;
}

TAKE(link_confidence)
{
	char *end;

	(void)column;
	call->link_confidence = strtod(text, &end);
	return *end == '\0';
}

TAKE(shape)
{
	(void)column;
	for (int i = 0; i < SHAPE_COUNT; i++) {
		if (!strcmp(text, call_shape_name((enum call_shape)i))) {
			call->shape = (uint8_t)i;
			return true;
		}
	}
	return false;
}

TAKE(complete)
{
	(void)column;
	call->complete = text[0] == '1';
	return true;
}

/* ---- the table ---- */

#define MADE(name, put, number)                  \
	{                                        \
		name, put_##put, NULL, 0, number \
	}
#define TEXT(name, put)                               \
	{                                             \
		name, put_##put, take_##put, 0, false \
	}
#define NUMBER(name, put)                            \
	{                                            \
		name, put_##put, take_##put, 0, true \
	}
#define FIELD(name, put, member)                                                 \
	{                                                                        \
		name, put_##put, take_##put, offsetof(struct call, member), true \
	}
#define WORD(name, put, member)                                                   \
	{                                                                         \
		name, put_##put, take_##put, offsetof(struct call, member), false \
	}
#define ENDPOINT(name, member)                                                 \
	{                                                                      \
		name, put_endpoint, NULL, offsetof(struct call, member), false \
	}
#define STRING(name)                                                               \
	{                                                                          \
#name, put_string, take_##name, offsetof(struct call, name), false \
	}
#define STAGE(name, stage)                                                     \
	{                                                                      \
		name, put_measure, take_measure, MEASURE_STAGE + (stage), true \
	}
#define TIME(name, measure)                                    \
	{                                                      \
		name, put_measure, take_measure, measure, true \
	}

const struct column hop_columns[] = {
	MADE("schema_version", schema_version, true),
	MADE("run_id", run_id, false),
	TEXT("trace_id", trace_id),
	TEXT("span_id", span_id),
	TEXT("parent_span_id", parent_span_id),
	FIELD("depth", u32, depth),
	ENDPOINT("src", src),
	ENDPOINT("dst", dst),
	WORD("src_addr", addr, src_addr),
	FIELD("src_port", known_u16, src_port),
	WORD("dst_addr", addr, dst_addr),
	FIELD("dst_port", known_u16, dst_port),
	TEXT("proto", proto),
	STRING(method),
	STRING(path),
	FIELD("status", known_u16, status),
	FIELD("req_bytes", u64, req_bytes),
	FIELD("resp_bytes", u64, resp_bytes),
	MADE("start_time", start_time, false),
	FIELD("start_mono_ns", u64, start_mono_ns),
	TIME("connect_ns", MEASURE_CONNECT),
	TIME("total_ns", MEASURE_TOTAL),
	STAGE("cli_send_ns", STAGE_CLI_SEND),
	STAGE("req_stream_ns", STAGE_REQ_STREAM),
	STAGE("net_req_ns", STAGE_NET_REQ),
	STAGE("hold_req_ns", STAGE_HOLD_REQ),
	STAGE("srv_queue_ns", STAGE_SRV_QUEUE),
	STAGE("srv_app_ns", STAGE_SRV_APP),
	STAGE("srv_send_ns", STAGE_SRV_SEND),
	STAGE("resp_stream_ns", STAGE_RESP_STREAM),
	STAGE("net_resp_ns", STAGE_NET_RESP),
	STAGE("hold_resp_ns", STAGE_HOLD_RESP),
	STAGE("cli_queue_ns", STAGE_CLI_QUEUE),
	STAGE("unattributed_ns", STAGE_UNATTRIBUTED),
	TIME("srv_self_ns", MEASURE_SRV_SELF),
	TIME("inj_connect_ns", MEASURE_INJ_CONNECT),
	TIME("inj_req_ns", MEASURE_INJ_REQ),
	TIME("inj_resp_ns", MEASURE_INJ_RESP),
	TIME("inj_stream_ns", MEASURE_INJ_STREAM),
	TIME("inj_loss_ns", MEASURE_INJ_LOSS),
	TIME("injected_ns", MEASURE_INJECTED),
	TIME("real_loss_ns", MEASURE_REAL_LOSS),
	FIELD("retransmits", u32, retransmits),
	FIELD("drops_injected", u32, drops_injected),
	FIELD("drops_real", u32, drops_real),
	TEXT("rule_ids", rule_ids),
	TEXT("link_method", link_method),
	NUMBER("link_confidence", link_confidence),
	TEXT("shape", shape),
	NUMBER("complete", complete),
};

const unsigned int hop_columns_count = sizeof(hop_columns) / sizeof(hop_columns[0]);

void column_value(const struct column *column, const struct export_run *run,
		  const struct call *call, struct field *ret_field)
{
	ret_field->text = "";
	column->put(ret_field, run, call, column);
}
