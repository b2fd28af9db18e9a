import itertools
import math
import random
import unittest

from bench.compare import significance
from bench.remote_compare import paired


def counted_p(differences):
    """The two-sided p value by listing every choice of signs."""
    magnitudes = sorted(abs(d) for d in differences)
    def rank(value):
        at = [i + 1 for i, m in enumerate(magnitudes) if m == value]
        return sum(at) / len(at)
    ranks = [rank(abs(d)) for d in differences]
    def statistic(signs):
        positive = sum(r for r, s in zip(ranks, signs) if s)
        return min(positive, sum(ranks) - positive)
    observed = statistic([d > 0 for d in differences])
    choices = [statistic(s) for s in itertools.product((False, True), repeat=len(ranks))]
    return sum(1 for value in choices if value <= observed) / len(choices)


class SignedRankTest(unittest.TestCase):

    def test_published_values(self):
        # Tables of the exact distribution: n = 6, W = 0 has 2/64; n = 8, W = 3 has 10/256.
        self.assertAlmostEqual(paired.signed_rank([1, 2, 3, 4, 5, 6]), 2 / 64)
        self.assertAlmostEqual(paired.signed_rank([-1, -2, 3, 4, 5, 6, 7, 8]), 10 / 256)
        # Darwin's plants, the example of scipy.stats.wilcoxon: W = 24, p = 0.0413.
        darwin = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]
        self.assertAlmostEqual(paired.signed_rank(darwin), 0.0413, places=4)

    def test_equals_the_count_of_all_signs(self):
        generator = random.Random(7)
        for count in (1, 2, 5, 9):
            for _ in range(10):
                values = [generator.gauss(0.5, 1) for _ in range(count)]
                self.assertAlmostEqual(paired.signed_rank(values), min(1, counted_p(values)))

    def test_ties_share_their_rank(self):
        for values in ([1, 1, -1, 2, 2, 3], [1, 1, 1, 1, -1], [2, -2, 2, 2, 5, 5, -7]):
            self.assertAlmostEqual(paired.signed_rank(values), min(1, counted_p(values)))

    def test_nothing_to_rank(self):
        self.assertEqual(paired.signed_rank([]), 1.0)
        self.assertEqual(paired.signed_rank([0.0, 0.0]), 1.0)
        self.assertEqual(paired.signed_rank([0.0, 1.0]), paired.signed_rank([1.0]))

    def test_approximation_meets_the_exact_value(self):
        generator = random.Random(3)
        values = [generator.gauss(0.25, 1) for _ in range(61)]
        approximate = paired.signed_rank(values)
        ranks = tuple(2 * rank for rank in range(1, 62))
        order = sorted(values, key=abs)
        positive = sum(i + 1 for i, value in enumerate(order) if value > 0)
        exact = 2 * paired._tails(ranks)[2 * min(positive, 61 * 31 - positive)]
        self.assertAlmostEqual(approximate, exact, delta=0.002)

    def test_smallest_p(self):
        for count in (1, 4, 7):
            self.assertAlmostEqual(paired.smallest_p(count),
                                   paired.signed_rank(range(1, count + 1)))
        self.assertEqual(paired.blocks_for(0.05), 6)
        self.assertEqual(paired.blocks_for(0.05 / 192), 13)


class EstimateTest(unittest.TestCase):

    def test_known_example(self):
        # Walsh averages of 1, 2, 6: 1, 1.5, 2, 3.5, 4, 6.
        centre, low, high = paired.estimate([1.0, 2.0, 6.0])
        self.assertEqual((centre, low, high), (2.75, -math.inf, math.inf))
        # Six differences: the ends are the least and the greatest (level 2/64).
        _, low, high = paired.estimate([1.0, 2.0, 3.0, 4.0, 5.0, 6.5])
        self.assertEqual((low, high), (1.0, 6.5))

    def test_the_interval_is_what_the_test_does_not_refuse(self):
        generator = random.Random(5)
        for count in (6, 8, 13):
            for _ in range(20):
                values = [generator.gauss(0.4, 1) for _ in range(count)]
                _, low, high = paired.estimate(values)
                for shift, refused in ((low - 1e-9, True), (low + 1e-9, False),
                                       (high - 1e-9, False), (high + 1e-9, True)):
                    p = paired.signed_rank([value - shift for value in values])
                    self.assertEqual(p < 0.05, refused, (count, shift, p))

    def test_large_samples(self):
        generator = random.Random(6)
        values = [generator.gauss(1, 1) for _ in range(100)]
        centre, low, high = paired.estimate(values)
        self.assertLess(low, centre)
        self.assertLess(centre, high)
        self.assertAlmostEqual(high - low, 2 * 1.96 / math.sqrt(100), delta=0.1)

    def test_covers_the_truth(self):
        generator = random.Random(11)
        for count in (6, 10):
            covered = 0
            for _ in range(400):
                values = [generator.gauss(0.03, 0.02) for _ in range(count)]
                _, low, high = paired.estimate(values)
                covered += low <= 0.03 <= high
            # Binomial(400, 0.95) is under 366 once in a thousand times.
            self.assertGreaterEqual(covered, 366)


class BlocksTest(unittest.TestCase):

    def test_log_ratios(self):
        ratios = paired.log_ratios([[2.0, 8.0], [3.0, 3.0]], [[1.0, 4.0], [3.0, 3.0]])
        self.assertAlmostEqual(ratios[0], math.log(2))
        self.assertAlmostEqual(ratios[1], 0)

    def test_a_block_with_a_hole_is_left_out(self):
        self.assertEqual(paired.log_ratios([[2.0], [], [2.0, 2.0]], [[1.0, 1.0]] * 3),
                         [math.log(2)])

    def test_what_a_block_does_to_both_cancels(self):
        drift = [1.0, 7.0, 0.2]
        ratios = paired.log_ratios([[1.1 * d, 1.1 * d] for d in drift], [[d, d] for d in drift])
        for ratio in ratios:
            self.assertAlmostEqual(ratio, math.log(1.1))

    def test_chance_floor(self):
        generator = random.Random(2)
        def side():
            return [[math.exp(generator.gauss(0, 0.02)) for _ in range(2)] for _ in range(200)]
        expected = 1.96 * 0.02 * math.sqrt(math.pi / 3) / math.sqrt(200)
        a, b = side(), side()
        self.assertAlmostEqual(paired.chance_floor(a, b), expected, delta=0.15 * expected)
        for block in a[::20]:
            block[0] *= 2  # odd runs
        self.assertAlmostEqual(paired.chance_floor(a, b), expected, delta=0.2 * expected)
        self.assertEqual(paired.chance_floor([[1.0, 1.0], [5.0, 5.0]], [[9.0, 9.0]] * 2), 0)
        self.assertIsNone(paired.chance_floor([[1.0, 2.0]], [[1.0]]))


def experiment(generator, effect, blocks, drift, noise):
    """(ours, baseline): what differs from block to block, a trend inside of each, heavy tails."""
    ours, baseline = [], []
    for _ in range(blocks):
        level = generator.gauss(0, drift)
        slope = generator.gauss(0, drift / 4)
        def run(position):
            odd = generator.expovariate(10) if generator.random() < 0.05 else 0
            return math.exp(level + slope * position + generator.gauss(0, noise) - odd)
        values = [run(position) for position in range(4)]
        outer, inner = [values[0], values[3]], [values[1], values[2]]
        if generator.random() < 0.5:
            outer, inner = inner, outer
        ours.append([effect * value for value in outer])
        baseline.append(inner)
    return ours, baseline


class PairingTest(unittest.TestCase):
    """Why blocks and not runs are compared, in noise like that of a shared machine."""

    def test_equal_servers_are_told_apart_in_five_percent_at_most(self):
        generator = random.Random(1)
        for drift, noise in ((0.0, 0.02), (0.06, 0.015), (0.3, 0.01)):
            false = sum(paired.signed_rank(paired.log_ratios(
                *experiment(generator, 1.0, 10, drift, noise))) < 0.05 for _ in range(1000))
            # Of 1000 at 5 %: over 72 once in a thousand times.
            self.assertLessEqual(false, 72, (drift, noise))

    def test_three_percent_is_told_where_runs_as_such_do_not_tell_it(self):
        generator = random.Random(2)
        signed = mann_whitney = 0
        for _ in range(100):
            ours, baseline = experiment(generator, 1.03, 8, 0.06, 0.015)
            signed += paired.signed_rank(paired.log_ratios(ours, baseline)) < 0.05
            mann_whitney += significance.mann_whitney(
                [value for block in ours for value in block],
                [value for block in baseline for value in block]) < 0.05
        self.assertGreaterEqual(signed, 60)
        self.assertLessEqual(mann_whitney, 30)

    def test_noise_that_depends_on_itself(self):
        """Slow waves, longer than a block: the order by chance keeps the rate."""
        generator = random.Random(4)
        false = 0
        for _ in range(1000):
            phase, length = generator.uniform(0, 7), generator.uniform(2, 60)
            differences = []
            for block in range(8):
                logs = [0.1 * math.sin(phase + (4 * block + i) / length) +
                        generator.gauss(0, 0.002) for i in range(4)]
                difference = (logs[0] + logs[3] - logs[1] - logs[2]) / 2
                differences.append(difference * generator.choice((1, -1)))
            false += paired.signed_rank(differences) < 0.05
        self.assertLessEqual(false / 1000, 0.072)


if __name__ == "__main__":
    unittest.main()
