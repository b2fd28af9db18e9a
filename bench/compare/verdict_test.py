import math
import random
import unittest

from bench.compare import verdict


def experiment(generator, ratio, noise, blocks, rows=1):
    """Rows of one comparison: a baseline and a system `ratio` times as fast, both with noise."""
    result = []
    for number in range(rows):
        drift = [generator.gauss(1, 0.03) for _ in range(blocks)]
        for system, true in (("base", 1e6), ("other", 1e6 * ratio)):
            row = verdict.Row("w%d" % number, 1, system)
            row.blocks = [[true * d * math.exp(generator.gauss(0, noise)) for _ in range(2)]
                          for d in drift]
            result.append(row)
    return result


def verdicts(ratio, noise, blocks, count, seed, rows=1, threshold=verdict.DEFAULT_THRESHOLD):
    generator = random.Random(seed)
    found = []
    for number in range(count):
        made = experiment(generator, ratio, noise, blocks, rows)
        verdict.judge_all(made, "base", number, threshold)
        found.append([row.verdict for row in made if row.system == "other"])
    return found


class SimulationTest(unittest.TestCase):

    def test_equal_systems_are_rarely_told_apart(self):
        found = verdicts(1.0, 0.02, blocks=4, count=200, seed=1)
        false = sum(v[0] in (verdict.FASTER, verdict.SLOWER) for v in found)
        # Of 200 at 5 %: over 18 once in a hundred times.
        self.assertLessEqual(false, 18)
        found = verdicts(1.0, 0.02, blocks=12, count=40, seed=7)
        self.assertGreater(sum(v[0] == verdict.SAME for v in found), 20)

    def test_many_rows_of_equal_systems(self):
        """Holm: the chance of any false row among ten stays at 5 %."""
        found = verdicts(1.0, 0.02, blocks=5, count=40, seed=2, rows=10)
        false = sum(any(v in (verdict.FASTER, verdict.SLOWER) for v in row) for row in found)
        self.assertLessEqual(false, 6)

    def test_five_percent_is_found_in_two_percent_of_noise(self):
        found = verdicts(1.05, 0.02, blocks=10, count=60, seed=3)
        self.assertGreaterEqual(sum(v[0] == verdict.FASTER for v in found), 51)
        self.assertEqual(sum(v[0] == verdict.SLOWER for v in found), 0)
        found = verdicts(0.95, 0.02, blocks=10, count=60, seed=4)
        self.assertGreaterEqual(sum(v[0] == verdict.SLOWER for v in found), 51)

    def test_large_differences_need_little(self):
        found = verdicts(2.0, 0.02, blocks=3, count=20, seed=5)
        self.assertEqual({v[0] for v in found}, {verdict.FASTER})

    def test_noise_is_not_equality(self):
        found = verdicts(1.0, 0.3, blocks=4, count=30, seed=6)
        self.assertLessEqual(sum(v[0] == verdict.SAME for v in found), 2)


class RulesTest(unittest.TestCase):

    def judged(self, ours, baseline, threshold=0.03):
        row = verdict.Row("w", 1, "other")
        row.blocks = ours
        base = verdict.Row("w", 1, "base")
        base.blocks = baseline
        verdict.judge_all([base, row], "base", 1, threshold)
        self.assertEqual(base.verdict, verdict.BASELINE)
        return row

    def test_two_blocks_settle_nothing(self):
        row = self.judged([[200.0, 201.0]] * 2, [[100.0, 101.0]] * 2)
        self.assertEqual(row.verdict, verdict.INCONCLUSIVE)
        self.assertEqual(row.more, 2)

    def test_one_run_gives_a_ratio_and_no_verdict(self):
        row = self.judged([[150.0]], [[100.0]])
        self.assertEqual(row.ratio, 1.5)
        self.assertEqual(row.verdict, verdict.INCONCLUSIVE)
        self.assertGreaterEqual(row.more, 5)

    def test_a_small_sure_difference_is_none_within_the_threshold(self):
        ours = [[101.0, 101.1], [101.2, 101.3], [101.05, 101.15], [101.22, 101.12]]
        base = [[100.0, 100.1], [100.2, 100.3], [100.05, 100.15], [100.22, 100.12]]
        self.assertEqual(self.judged(ours, base).verdict, verdict.SAME)
        self.assertEqual(self.judged(ours, base, threshold=0.002).verdict, verdict.FASTER)

    def test_estimates_grow_with_the_noise(self):
        generator = random.Random(9)
        more = []
        for noise in (0.03, 0.12):
            made = experiment(generator, 1.02, noise, 4)
            verdict.judge_all(made, "base", 1)
            more.append(made[1].more)
        self.assertGreater(more[1], more[0])

    def test_rows_without_runs(self):
        base = verdict.Row("w", 1, "base")
        row = verdict.Row("w", 1, "other")
        row.blocks = [[1.0]]
        verdict.judge_all([base, row], "base", 1)
        self.assertEqual(base.verdict, verdict.NOT_RUN)
        self.assertEqual(row.verdict, "no baseline")

    def test_gate(self):
        slow = self.judged([[80.0, 81.0]] * 4, [[100.0, 101.0]] * 4)
        self.assertEqual(verdict.below_gate([slow], 0.95), [slow])
        self.assertEqual(verdict.below_gate([slow], 0.5), [])
        self.assertEqual(verdict.below_gate([self.judged([[100.0]] * 4, [[100.0]] * 4)], 0.95), [])


if __name__ == "__main__":
    unittest.main()
