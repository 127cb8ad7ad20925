/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_availability_file.c - facts about the file that describes a system: what is taken, and that what is refused is told
 * with its line, its name and the reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "availability/order.h"
#include "availability_data.h"
#include "base/cleanup.h"

/* A file whose line 3 is the service in question. */
static void assert_service_refused(const char *service, const char *said)
{
	char yaml[512], text[MODEL_ERROR_MAX];

	snprintf(yaml, sizeof(yaml), "entry: a\nservices:\n  - %s\n", service);
	assert_string_equal(refusal_of(yaml, text), said);
}

static void a_share_has_a_unit_or_a_point(void **state)
{
	_cleanup_(model_freep) struct model *model =
		model_of("entry: a\nservices:\n - {name: a, availability: 99.95%}\n"
			 " - {name: b, availability: 0.9995}\n - {name: c, availability: 0%}\n"
			 " - {name: d, availability: 1.0}\n");

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(model->part[i].one.up == 0.9995);
		assert_true(model->part[i].one.down == 0.0005);
	}
	assert_true(model->part[2].one.up == 0 && model->part[2].one.down == 1);
	assert_true(model->part[3].one.up == 1 && model->part[3].one.down == 0);
	assert_service_refused("{name: a, availability: 99.95}",
			       "line 3: availability of a: '99.95': more than 1 and no %: write "
			       "99.95% or 0.9995 for example");
	assert_service_refused(
		"{name: a, availability: 1}",
		"line 3: availability of a: '1': a unit is missing: write 100% or 1.0 for example");
	assert_service_refused("{name: a, availability: 100.1%}",
			       "line 3: availability of a: '100.1%': more than 100%");
	assert_service_refused("{name: a, availability: -1%}",
			       "line 3: availability of a: '-1%': negative: it must be 0 or more");
}

static void a_name_that_is_not_there_is_told_with_those_near_it(void **state)
{
	char text[MODEL_ERROR_MAX];

	(void)state;
	assert_string_equal(
		refusal_of("entry: gateway\nservices:\n - name: gateway\n   availability: 99%\n"
			   "   calls:\n     - ledger\n     - to: legder-2\n"
			   " - {name: ledger, availability: 99%}\n"
			   "groups:\n - {name: ledger-2, need: 1, of: [ledger]}\n",
			   text),
		"line 7: call to 'legder-2' is no service or group of this file; did you mean "
		"'ledger-2' or 'ledger'?");
	assert_string_equal(
		refusal_of("entry: getaway\nservices:\n - {name: gateway, availability: 99%}\n",
			   text),
		"line 1: entry 'getaway' is no service or group of this file; did you mean "
		"'gateway'?");
}

static void a_cycle_is_told_with_all_its_names(void **state)
{
	char text[MODEL_ERROR_MAX];

	(void)state;
	assert_string_equal(
		refusal_of("entry: a\nservices:\n - {name: a, availability: 99%, calls: [b]}\n"
			   " - {name: b, availability: 99%, calls: [c]}\n"
			   " - name: c\n   availability: 99%\n   calls:\n    - d\n    - g\n"
			   " - {name: d, availability: 99%}\n"
			   "groups:\n - {name: g, need: 1, of: [b, d]}\n",
			   text),
		"line 12: a cycle: b -> c -> g -> b");
	assert_service_refused("{name: a, availability: 99%, calls: [a]}",
			       "line 3: a cycle: a -> a");
}

static void more_cannot_be_needed_than_there_are(void **state)
{
	char text[MODEL_ERROR_MAX];

	(void)state;
	assert_service_refused("{name: a, availability: 99%, replicas: 2, need: 3}",
			       "line 3: a needs 3 of its 2 replicas: there are not so many");
	assert_service_refused("{name: a, availability: 99%, need: 0}",
			       "line 3: need: '0': too small (1 to 100)");
	assert_string_equal(refusal_of("entry: a\nservices:\n - {name: a, availability: 99%}\n"
				       "groups:\n - name: g\n   of: [a]\n   need: 2\n",
				       text),
			    "line 7: g needs 2 of its 1 members: there are not so many");
	assert_string_equal(refusal_of("entry: a\nservices:\n - {name: a, availability: 99%}\n"
				       "groups:\n - {name: g, need: 1, of: []}\n",
				       text),
			    "line 5: g needs 1 of its 0 members: there are not so many");
}

static void what_is_said_twice_is_refused(void **state)
{
	char text[MODEL_ERROR_MAX];

	(void)state;
	assert_string_equal(refusal_of("entry: a\nservices:\n - {name: a, availability: 99%}\n"
				       " - {name: a, availability: 98%}\n",
				       text),
			    "line 4: 'a' is there already, in line 3");
	assert_string_equal(refusal_of("entry: a\nservices:\n - {name: a, availability: 99%,\n"
				       "    calls: [b, b]}\n - {name: b, availability: 98%}\n",
				       text),
			    "line 4: a calls b already, in line 4");
	assert_string_equal(refusal_of("entry: a\nservices:\n - {name: a, availability: 99%}\n"
				       " - {name: b, availability: 98%, endpoints: [a]}\n",
				       text),
			    "line 4: endpoint 'a' of b is one of a already");
	assert_service_refused("{name: a, availability: 99%, name: b}",
			       "line 3: 'name' is said twice of a service");
}

static void a_key_that_is_none_is_told_with_its_own_line(void **state)
{
	char text[MODEL_ERROR_MAX];

	(void)state;
	assert_string_equal(
		refusal_of("entry: a\nservices:\n - name: a\n   availability: 99%\n   call: [b]\n",
			   text),
		"line 5: 'call' is nothing that a service has; did you mean 'calls'?");
	assert_string_equal(
		refusal_of("entry: a\nzone: x\nservices:\n - {name: a, availability: 99%}\n", text),
		"line 2: 'zone' is nothing that the file has; it may have system, entry, slo, "
		"services, groups");
	assert_service_refused("{name: a}", "line 3: a service has no 'availability'");
	assert_service_refused("{name: a, availability: [1.0]}",
			       "line 3: 'availability' of a service must be a single value");
}

static void what_is_no_file_of_this_kind_is_refused(void **state)
{
	char text[MODEL_ERROR_MAX];

	(void)state;
	assert_string_equal(refusal_of("", text), "empty");
	assert_string_equal(refusal_of("- a\n", text),
			    "line 1: the file must be a mapping (`key: value`)");
	assert_non_null(strstr(refusal_of("entry: [a\n", text), "line 2: not YAML: "));
	assert_string_equal(
		refusal_of("entry: a\nservices:\n - {name: a, availability: 1.0}\n---\nb: 1\n",
			   text),
		"line 4: a second document begins: one is read");
	assert_string_equal(refusal_of("entry: \"a\\e[2J\"\nservices: []\n", text),
			    "line 2: there are no services");
	assert_service_refused(
		"{name: \"a\\e[2J\", availability: 99%}",
		"line 3: the name of a service has a character that cannot be shown");
}

static char *many_services(unsigned int count)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fprintf(out, "entry: s0\nservices:\n");
	for (unsigned int i = 0; i < count; i++)
		fprintf(out, " - {name: s%u, availability: 99%%}\n", i);
	fclose(out);
	return text;
}

static void a_thousand_parts_are_read_and_no_more(void **state)
{
	_cleanup_(freep) char *fits = many_services(MODEL_PARTS_MAX);
	_cleanup_(freep) char *too_many = many_services(MODEL_PARTS_MAX + 1);
	char text[MODEL_ERROR_MAX];

	(void)state;
	model_free(model_of(fits));
	assert_string_equal(refusal_of(too_many, text),
			    "line 3: 1001 services and groups; at most 1000 are read");
}

/* Callees first, whatever the order of the file. */
static void every_part_stands_behind_what_it_needs(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 50; seed++) {
		_cleanup_(model_freep) struct model *model = random_model(seed);
		unsigned int place[64];

		for (unsigned int i = 0; i < model->parts; i++)
			place[model->order[i]] = i;
		for (unsigned int k = 0; k < model->edges; k++)
			assert_true(place[model->edge[k].to] < place[model->edge[k].from]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_has_a_unit_or_a_point),
		cmocka_unit_test(a_name_that_is_not_there_is_told_with_those_near_it),
		cmocka_unit_test(a_cycle_is_told_with_all_its_names),
		cmocka_unit_test(more_cannot_be_needed_than_there_are),
		cmocka_unit_test(what_is_said_twice_is_refused),
		cmocka_unit_test(a_key_that_is_none_is_told_with_its_own_line),
		cmocka_unit_test(what_is_no_file_of_this_kind_is_refused),
		cmocka_unit_test(a_thousand_parts_are_read_and_no_more),
		cmocka_unit_test(every_part_stands_behind_what_it_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
