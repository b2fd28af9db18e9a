import collections
import unittest

from bench.compare import schedule


class ScheduleTest(unittest.TestCase):

    def test_a_block_is_an_order_and_its_reverse(self):
        runs = schedule.schedule(["a", "b", "c"], 6, seed=1)
        self.assertEqual(len(runs), 18)
        for block in range(3):
            names = [run.system for run in runs[6 * block:6 * block + 6]]
            self.assertEqual(sorted(names[:3]), ["a", "b", "c"])
            self.assertEqual(names[3:], names[2::-1])

    def test_each_system_runs_as_often_as_asked(self):
        for repetitions in range(1, 8):
            runs = schedule.schedule(["a", "b"], repetitions, seed=2)
            counts = collections.Counter(run.system for run in runs)
            self.assertEqual(counts, {"a": repetitions, "b": repetitions})

    def test_keys_are_unique(self):
        runs = schedule.schedule(["a", "b"], 9, seed=3)
        self.assertEqual(len({run.key for run in runs}), len(runs))

    def test_the_seed_decides(self):
        def order(seed):
            return [run.key for run in schedule.schedule("abcd", 10, seed)]
        self.assertEqual(order(1), order(1))
        self.assertNotEqual(order(1), order(2))

    def test_no_system_has_the_first_place_of_all_blocks(self):
        runs = schedule.schedule(["a", "b"], 200, seed=4)
        first = collections.Counter(runs[4 * block].system for block in range(100))
        self.assertGreater(min(first["a"], first["b"]), 25)


if __name__ == "__main__":
    unittest.main()
