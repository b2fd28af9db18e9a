import os
import unittest

from bench.matrix import pairwise

_HERE = os.path.dirname(os.path.abspath(pairwise.__file__))


def present():
    return pairwise.read_matrix(os.path.join(_HERE, "../.."))


def listed():
    scope = {}
    with open(os.path.join(_HERE, "covering.bzl")) as file:
        exec(file.read(), scope)
    return scope["COVERING"]


def combinations_of(engine):
    for name in listed():
        head, *policies = name.split("__")
        if head == engine:
            yield policies


class PairwiseTest(unittest.TestCase):

    def test_every_pair_of_the_present_slots_is_tested(self):
        for name, engine in present().items():
            missing = pairwise.all_pairs(engine.slots) - engine.tested
            for combination in combinations_of(name):
                self.assertEqual(len(combination), len(engine.slots))
                missing -= pairwise.pairs_of(combination)
            self.assertEqual(missing, set(), name)

    def test_the_list_has_every_policy(self):
        # The lab runs on these alone.
        for name, engine in present().items():
            for i, policies in enumerate(engine.slots):
                self.assertEqual({chosen[i] for chosen in combinations_of(name)}, set(policies))

    def test_pairs_of_compositions_count(self):
        lsm = present()["lsm_all"]
        # lsm_tiered's.
        self.assertIn(((1, "tiered"), (3, "group")), lsm.tested)
        self.assertLess(lsm.tested, pairwise.all_pairs(lsm.slots))

    def test_pairs_of_a_header(self):
        slots = {"Filter": {"none": ("none.h", "NoFilter")},
                 "Cache": {"lru": ("lru.h", "LruCache"), "none": ("none.h", "NoCache")},
                 "Reading": {"mmap": ("mmap.h", "MmapReading")}}
        header = """
          using Filter = NoFilter;
          using Cache = NoCache;
          using Reading = DirectReading;
        """
        self.assertEqual(pairwise.pairs_of_header(slots, header), {((0, "none"), (1, "none"))})

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
        self.assertEqual(pairwise.least_possible(held), 25)
        self.assertLessEqual(len(chosen), 28)

    def test_what_is_tested_is_not_chosen(self):
        self.assertEqual(pairwise.covering([["a", "b"], ["c", "d"]], {((0, "a"), (1, "d"))}),
                         [("a", "c"), ("b", "c"), ("b", "d")])

    def test_one_slot(self):
        self.assertEqual(pairwise.covering([["a", "b"]]), [("a",), ("b",)])


if __name__ == "__main__":
    unittest.main()
