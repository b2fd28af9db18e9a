import os
import unittest

from bench.matrix import pairwise

_HERE = os.path.dirname(os.path.abspath(pairwise.__file__))


def present():
    return pairwise.read_matrix(os.path.join(_HERE, "policies.bzl"))


def listed():
    scope = {}
    with open(os.path.join(_HERE, "covering.bzl")) as file:
        exec(file.read(), scope)
    return scope["COVERING"]


class PairwiseTest(unittest.TestCase):

    def test_the_list_covers_every_pair_of_the_present_slots(self):
        for engine, slots in present().items():
            missing = pairwise.all_pairs(slots)
            for name in listed():
                head, *policies = name.split("__")
                if head == engine:
                    self.assertEqual(len(policies), len(slots))
                    missing -= pairwise.pairs_of(policies)
            self.assertEqual(missing, set(), engine)

    def test_the_list_is_what_the_script_writes(self):
        with open(os.path.join(_HERE, "covering.bzl")) as file:
            self.assertEqual(file.read(), pairwise.text_of(present()),
                             "run bench/matrix/pairwise.py")

    def test_no_combination_is_listed_twice(self):
        self.assertEqual(len(set(listed())), len(listed()))

    def test_all_pairs(self):
        self.assertEqual(len(pairwise.all_pairs([["a", "b"], ["c"], ["d", "e", "f"]])), 2 + 6 + 3)

    def test_large_slots_stay_near_the_least_possible(self):
        slots = [list("abcd"), list("efghi"), list("jkl"), list("mnopq")]
        chosen = pairwise.covering(slots)
        held = set()
        for combination in chosen:
            held |= pairwise.pairs_of(combination)
        self.assertEqual(held, pairwise.all_pairs(slots))
        self.assertEqual(pairwise.least_possible(slots), 25)
        self.assertLessEqual(len(chosen), 28)

    def test_one_slot(self):
        self.assertEqual(pairwise.covering([["a", "b"]]), [("a",), ("b",)])


if __name__ == "__main__":
    unittest.main()
