import collections
import json
import os
import tempfile
import unittest

from bench.compare import systems
from bench.remote_compare import plans


class BuiltInTest(unittest.TestCase):

    def test_names_are_unique_and_blocks_are_enough(self):
        for name, (make, _) in plans.BUILT_IN.items():
            plan = make()
            self.assertEqual(plan.name, name)
            names = [cell.name for cell in plan.cells]
            self.assertEqual(len(set(names)), len(names))
            self.assertGreaterEqual(plan.blocks, plan.enough_blocks(), name)

    def test_elasticache_is_the_whole_matrix(self):
        plan = plans.plan_of("elasticache", "")
        seen = collections.Counter((cell.options["value_size"], cell.options["read_ratio"],
                                    cell.options["connections"]) for cell in plan.cells)
        self.assertEqual(len(seen), 64)
        self.assertEqual(set(seen.values()), {1})
        # One set of data for each size, in one stretch.
        data = [cell.data() for cell in plan.cells]
        self.assertEqual(len(set(data)), 4)
        self.assertEqual(sorted(data, key=data.index), data)

    def test_listing(self):
        text = plans.listing()
        for words in ("quick", "elasticache", "and 56 more", "throughput", "less is better"):
            self.assertIn(words, text)


class CellTest(unittest.TestCase):

    def test_flags(self):
        cell = plans.Cell("c", "getset", {"value_size": 100, "keys": "1k"})
        self.assertEqual(cell.flags(), ["--load=getset", "--keys=1k", "--value_size=100"])

    def test_data_is_shared_by_what_only_uses_it(self):
        cell = plans.Cell("c", "getset", {"keys": "1k", "connections": 1})
        self.assertEqual(cell.data(), plans.Cell("d", "getset", {
            "keys": "1k", "connections": 50, "read_ratio": 0.5}).data())
        self.assertNotEqual(cell.data(), plans.Cell("c", "getset", {"keys": "2k"}).data())
        self.assertNotEqual(cell.data(), plans.Cell("c", "structures", {"keys": "1k"}).data())

    def test_settings_of_all_cells(self):
        self.assertEqual(plans.setting_of("rate=burst=1"), ("rate", "burst=1"))
        for text in ("rate", "rate=", "=5", "url=x", "keep=1"):
            with self.assertRaises(systems.UsageError):
                plans.setting_of(text)

    def test_a_rate_is_no_throughput(self):
        cell = plans.Cell("c", "getset", {"rate": 1000})
        self.assertEqual(cell.figures(["throughput", "p99"]), ["p99"])

    def test_short(self):
        cell = plans.Cell("c", "getset", {"rate": 1000, "duration": "1s", "keys": 5}, ["--x=1"])
        self.assertEqual(cell.short(7).flags(), ["--load=getset", "--keys=5", "--requests=7",
                                                 "--x=1"])


class FileTest(unittest.TestCase):

    def read(self, text):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "plan.json")
            with open(path, "w") as file:
                file.write(text if isinstance(text, str) else json.dumps(text))
            return plans.plan_of("plan.json", path)

    def test_all_of_it(self):
        plan = self.read({
            "name": "mine", "blocks": 7, "figures": ["p99"], "place": "together",
            "flags": {"duration": "1s", "keys": 5},
            "cells": [{"name": "x", "load": "getset", "flags": {"keys": 6}}, {"load": "zset"}]})
        self.assertEqual((plan.name, plan.blocks, plan.figures, plan.place),
                         ("mine", 7, ["p99"], "together"))
        self.assertEqual([cell.name for cell in plan.cells], ["x", "zset"])
        self.assertEqual(plan.cells[0].options, {"duration": "1s", "keys": 6})
        self.assertEqual(plan.cells[1].options, {"duration": "1s", "keys": 5})

    def test_mistakes(self):
        one = {"load": "getset"}
        for text, words in (
                ("{", "not JSON"),
                ([], "an object with cells"),
                ({"cells": []}, "an object with cells"),
                ({"cells": [{}]}, "an object with a load"),
                ({"cells": [one, one]}, "two cells are named getset"),
                ({"cells": [one], "block": 3}, "has no block"),
                ({"cells": [{**one, "flag": {}}]}, "has no flag"),
                ({"cells": [one], "blocks": 0}, "from 1 to 1000"),
                ({"cells": [one], "blocks": "many"}, "from 1 to 1000"),
                ({"cells": [one], "figures": ["p98"]}, "did you mean p99"),
                ({"cells": [one], "figures": []}, "no figure"),
                ({"cells": [one], "flags": []}, "flags is an object"),
                ({"cells": [one], "place": "near"}, "together"),
                ({"cells": [{**one, "flags": {"url": "x"}}]}, "not a cell's to set"),
                ({"cells": [{**one, "flags": {"keys": [1]}}]}, "a text or a number")):
            with self.assertRaisesRegex(systems.UsageError, words):
                self.read(text)
        with self.assertRaisesRegex(systems.UsageError, "No such file"):
            plans.plan_of("plan.json", "/nowhere/plan.json")
        with self.assertRaisesRegex(systems.UsageError, "did you mean quick"):
            plans.plan_of("quik", "quik")


class ScheduleTest(unittest.TestCase):

    def test_blocks_of_each_cell_in_an_order_of_chance(self):
        plan = plans.Plan("p", 20, [plans.Cell(name, "getset", {}) for name in "xy"])
        made = plans.schedule_of(plan, ["a", "b"], seed=1)
        self.assertEqual(len(made), plan.runs(2))
        self.assertEqual([cell.name for cell, _ in made], ["x"] * 80 + ["y"] * 80)
        orders = ["".join(run.system for _, run in made[i:i + 4]) for i in range(0, 160, 4)]
        self.assertEqual(set(orders), {"abba", "baab"})
        self.assertNotEqual(orders[:20], orders[20:])
        self.assertEqual([run.key for _, run in made],
                         [run.key for _, run in plans.schedule_of(plan, ["a", "b"], seed=1)])


if __name__ == "__main__":
    unittest.main()
