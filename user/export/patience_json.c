/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience_json.c - who waits how long for whom, as JSON. What was not seen is null.
 */
#include <jansson.h>

#include "export/patience.h"

static json_t *times_json(const struct patience_times *times)
{
	if (!times->count)
		return json_null();
	return json_pack("{s:I,s:I,s:I,s:I}", "calls", (json_int_t)times->count, "min_ns",
			 (json_int_t)times->min_ns, "p50_ns", (json_int_t)times->p50_ns, "max_ns",
			 (json_int_t)times->max_ns);
}

static json_t *wait_json(const struct patience *patience, const struct patience_wait *wait)
{
	json_t *caller = json_pack(
		"{s:s,s:s,s:I,s:o,s:o,s:o,s:o,s:b}", "caller", patience_name(patience, wait->hop),
		"callee", patience_name(patience, wait->hop + 1), "calls", (json_int_t)wait->calls,
		"gave_up_waiting_for_answer", times_json(&wait->gave_up[PATIENCE_ANSWER]),
		"gave_up_connecting", times_json(&wait->gave_up[PATIENCE_CONNECT]), "answered",
		times_json(&wait->answered), "status",
		wait->status ? json_integer(wait->status) : json_null(), "hangs",
		wait->hangs[PATIENCE_ANSWER] || wait->hangs[PATIENCE_CONNECT]);

	return caller;
}

static json_t *cuts_json(const struct patience *patience)
{
	json_t *cuts = json_array();

	for (size_t i = 0; i < patience_cuts(patience); i++) {
		const struct patience_cut *span = patience_cut_at(patience, i);
		json_t *callers = json_array();

		for (unsigned int hop = 0; hop <= span->hop; hop++)
			json_array_append_new(
				callers, wait_json(patience, patience_wait_at(patience, i, hop)));
		json_array_append_new(cuts,
				      json_pack("{s:s,s:s,s:I,s:I,s:o}", "src",
						patience_name(patience, span->hop), "dst",
						patience_name(patience, span->hop + 1),
						"from_mono_ns", (json_int_t)span->from_ns, "cut_ns",
						(json_int_t)(span->to_ns - span->from_ns),
						"callers", callers));
	}
	return cuts;
}

static json_t *findings_json(const struct patience *patience)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < patience_findings(patience); i++) {
		const struct patience_finding *finding = patience_finding_at(patience, i);

		json_array_append_new(findings,
				      json_pack("{s:s,s:s,s:s,s:s}", "kind",
						patience_finding_name(finding->kind), "caller",
						patience_name(patience, finding->hop), "callee",
						patience_name(patience, finding->hop + 1), "text",
						finding->text));
	}
	return findings;
}

json_t *patience_json(const struct patience *patience)
{
	return json_pack("{s:I,s:o,s:o}", "limit_ns", (json_int_t)patience_limit(patience), "cuts",
			 cuts_json(patience), "findings", findings_json(patience));
}
