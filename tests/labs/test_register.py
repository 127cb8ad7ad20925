#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
test_register.py - the judges of histories: register.py beside all orders tried one by one, and small histories by hand.
"""
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/labs"))
from stores import judge, register  # noqa: E402
from stores.history import OK, READ, REFUSED, UNKNOWN, WRITE, Row  # noqa: E402
from stores.register import Op  # noqa: E402


def some_order_explains(ops):
    """Wing and Gong, without any cleverness"""

    def search(left, value):
        if not left:
            return True
        first_end = min(ops[i].end for i in left)
        return any(
            (ops[i].is_write or ops[i].value == value) and search(left - {i}, ops[i].value)
            for i in left if ops[i].begin <= first_end
        )

    return search(frozenset(range(len(ops))), None)


def random_history(chance):
    ops, values = [], [None]
    for number in range(chance.randint(2, 7)):
        begin = chance.randint(0, 20)
        if chance.random() < 0.5:
            ops.append(Op(True, number, begin, begin + chance.randint(1, 10)))
            values.append(number)
        else:
            ops.append(Op(False, chance.choice(values), begin, begin + chance.randint(1, 10)))
    return ops


def write(value, begin, end, outcome=OK, key="register", client="a"):
    return Row(client, WRITE, key, value, "n1", begin, end, outcome)


def read(value, begin, end, client="a"):
    return Row(client, READ, "register", value, "n1", begin, end, OK)


def linearizable(*rows):
    return register.violation(register.ops_of(list(rows), READ)) is None


class Registers(unittest.TestCase):
    def test_zones_and_all_orders_say_the_same(self):
        chance, said = random.Random(7), {True: 0, False: 0}
        for _ in range(6000):
            ops = random_history(chance)
            expected = some_order_explains(ops)
            self.assertEqual(register.violation(ops) is None, expected, [(o.is_write, o.value, o.begin, o.end) for o in ops])
            said[expected] += 1
        self.assertGreater(min(said.values()), 1000)

    def test_old_after_new_is_no_order(self):
        self.assertTrue(linearizable(write("1", 0, 1), write("2", 2, 3), read("2", 4, 5)))
        self.assertFalse(linearizable(write("1", 0, 1), write("2", 2, 3), read("1", 4, 5)))

    def test_while_a_write_is_open_both_values_may_be_read(self):
        self.assertTrue(linearizable(write("1", 0, 1), write("2", 2, 9), read("1", 3, 4), read("2", 5, 6)))
        self.assertFalse(linearizable(write("1", 0, 1), write("2", 2, 9), read("2", 3, 4), read("1", 5, 6)))

    def test_what_is_unknown_may_have_happened_late_or_never(self):
        self.assertTrue(linearizable(write("1", 0, 1, UNKNOWN), write("2", 2, 3), read("1", 4, 5)))
        self.assertTrue(linearizable(write("1", 0, 1, UNKNOWN), write("2", 2, 3), read("2", 4, 5)))
        self.assertFalse(linearizable(write("1", 0, 1, UNKNOWN), write("2", 2, 3), read("1", 4, 5), read("2", 6, 7)))

    def test_a_value_out_of_nowhere(self):
        self.assertFalse(linearizable(read("1", 0, 1)))


class Stale(unittest.TestCase):
    def test_a_read_of_what_was_replaced_before_it_began(self):
        rows = [write("1", 0, 1), write("2", 2, 3), read("1", 4, 5)]
        self.assertEqual(len(register.stale_reads(rows, READ)), 1)

    def test_not_while_the_newer_write_is_open_or_unknown(self):
        self.assertEqual(register.stale_reads([write("1", 0, 1), write("2", 2, 6), read("1", 4, 5)], READ), [])
        self.assertEqual(register.stale_reads([write("1", 0, 1), write("2", 2, 3, UNKNOWN), read("1", 4, 5)], READ), [])


class Cuts(unittest.TestCase):
    second = 1_000_000_000

    def cut(self, outcomes, there):
        """Writes of one client every 100 ms; the cut is from 1 s to 3 s"""
        rows = [
            write(f"a/{i}", i * 100_000_000, i * 100_000_000 + 1000, outcome, f"n/a/{i}") for i, outcome in enumerate(outcomes)
        ]
        return judge.Cut(rows, there, self.second, 3 * self.second)

    def test_acknowledged_and_not_there_is_lost(self):
        there = {f"n/a/{i}" for i in range(40) if i not in (15, 35)}
        side = self.cut([OK] * 40, there).side("a")
        self.assertEqual((side["lost"], side["lost_since_heal"], side["accepted_in_cut"]), (2, 1, 20))
        self.assertEqual(self.cut([OK] * 40, there).verdict()["verdict"], "AP")

    def test_refused_and_not_there_is_not_lost(self):
        outcomes = [OK] * 10 + [REFUSED] * 20 + [OK] * 10
        cut = self.cut(outcomes, {f"n/a/{i}" for i, outcome in enumerate(outcomes) if outcome == OK})
        self.assertEqual(cut.verdict()["verdict"], "CP")
        self.assertEqual(cut.verdict()["lost"], 0)
        self.assertEqual(cut.side("a")["unavailable_in_cut_ns"], 2 * self.second)

    def test_gaps_shorter_than_half_a_second_are_none(self):
        self.assertEqual(judge.unavailable_ns([100, 400_000_000], 0, 899_999_999), 0)
        self.assertEqual(judge.unavailable_ns([100_000_000], 0, 700_000_000), 600_000_000)
        self.assertEqual(judge.unavailable_ns([], 0, 600_000_000), 600_000_000)

    def test_percentiles_are_by_nearest_rank(self):
        self.assertEqual(judge.percentile([4, 1, 3, 2], 0.5), 2)
        self.assertEqual(judge.percentile([1, 2, 3, 4], 0.95), 4)
        self.assertIsNone(judge.percentile([], 0.5))


if __name__ == "__main__":
    unittest.main()
