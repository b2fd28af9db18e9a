import itertools
import math
import random
import unittest

from bench.compare import significance


def counted_p(a, b):
    """The two-sided p value by listing every way to deal the values out."""
    pooled = sorted(a + b)
    def u_of(sample):
        rest = list(pooled)
        for value in sample:
            rest.remove(value)
        above = sum(1 for x in sample for y in rest if x > y)
        return min(above, len(sample) * len(rest) - above)
    observed = u_of(a)
    deals = [u_of(list(s)) for s in itertools.combinations(pooled, len(a))]
    return sum(1 for u in deals if u <= observed) / len(deals)


class MannWhitneyTest(unittest.TestCase):

    def test_published_values(self):
        # Tables of the exact distribution: n = m = 5, U = 2 has p = 0.032; U = 0 has 2/252.
        self.assertAlmostEqual(significance.mann_whitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]),
                               2 / 252)
        self.assertAlmostEqual(
            significance.mann_whitney([1, 2, 3, 4, 7], [5, 6, 8, 9, 10]), 8 / 252)
        # scipy.stats.mannwhitneyu([19, 22, 16, 29, 24], [20, 11, 17, 12]): U = 17, p = 0.1111.
        self.assertAlmostEqual(
            significance.mann_whitney([19, 22, 16, 29, 24], [20, 11, 17, 12]), 1 / 9)

    def test_equals_the_count_of_all_deals(self):
        generator = random.Random(7)
        for n, m in ((2, 3), (3, 3), (4, 6), (6, 5), (1, 4)):
            for _ in range(10):
                values = generator.sample(range(100), n + m)
                self.assertAlmostEqual(significance.mann_whitney(values[:n], values[n:]),
                                       min(1.0, counted_p(values[:n], values[n:])), places=12)

    def test_normal_approximation_with_ties(self):
        p = significance.mann_whitney([1, 2, 2, 3], [2, 3, 3, 4, 5])
        u, n, m = 3.0, 4, 5
        variance = n * m / 12 * (10 - (24 + 24) / 72)
        z = (u - 10 + 0.5) / math.sqrt(variance)
        self.assertAlmostEqual(p, math.erfc(-z / math.sqrt(2)), places=12)

    def test_approximation_meets_the_exact_value(self):
        generator = random.Random(8)
        a = [generator.gauss(0, 1) for _ in range(31)]
        b = [generator.gauss(0.6, 1) for _ in range(31)]
        u = sum(1 for x in a for y in b if x > y)
        exact = 2 * significance._exact_tail(min(u, 31 * 31 - u), 31, 31)
        self.assertAlmostEqual(significance.mann_whitney(a, b), exact, delta=0.002)

    def test_no_difference_at_all(self):
        self.assertEqual(significance.mann_whitney([1, 1, 1], [1, 1]), 1.0)
        self.assertEqual(significance.mann_whitney([], [1.0]), 1.0)

    def test_smallest_p(self):
        self.assertAlmostEqual(significance.smallest_p(5, 5),
                               significance.mann_whitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]))
        self.assertEqual(significance.smallest_p(0, 3), 1.0)


class HolmTest(unittest.TestCase):

    def test_known_example(self):
        corrected = significance.holm([0.01, 0.04, 0.03, 0.005])
        for value, expected in zip(corrected, [0.03, 0.06, 0.06, 0.02]):
            self.assertAlmostEqual(value, expected)

    def test_edges(self):
        self.assertEqual(significance.holm([]), [])
        self.assertEqual(significance.holm([0.5]), [0.5])
        self.assertEqual(significance.holm([0.9, 0.8]), [1.0, 1.0])


class StudentTest(unittest.TestCase):

    def test_tables(self):
        for degrees, quantile in ((1, 12.706), (2, 4.3027), (3, 3.1824), (4, 2.7764), (5, 2.5706),
                                  (10, 2.2281), (29, 2.0452), (120, 1.9799)):
            self.assertAlmostEqual(significance.student_quantile(0.975, degrees), quantile,
                                   delta=5e-4)
        self.assertAlmostEqual(significance.student_quantile(0.5, 4), 0.0, places=6)


class BootstrapTest(unittest.TestCase):

    def test_constant_samples(self):
        ratio, low, high = significance.bootstrap_ratio([[6.0, 6.0]] * 4, [[3.0, 3.0]] * 4, seed=1)
        self.assertEqual((ratio, low, high), (2.0, 2.0, 2.0))

    def test_one_block_bounds_nothing(self):
        ratio, low, high = significance.bootstrap_ratio([[6.0, 6.0]], [[3.0, 3.0]], seed=1)
        self.assertEqual((ratio, low, high), (2.0, 0.0, math.inf))

    def test_what_a_block_does_to_both_sides_cancels(self):
        blocks = [100.0, 200.0, 50.0, 150.0, 80.0]
        ratio, low, high = significance.bootstrap_ratio(
            [[1.1 * b] for b in blocks], [[b] for b in blocks], seed=1)
        self.assertAlmostEqual(ratio, 1.1)
        self.assertAlmostEqual(low, 1.1)
        self.assertAlmostEqual(high, 1.1)

    def test_seeded(self):
        generator = random.Random(3)
        a = [[generator.gauss(100, 5)] for _ in range(8)]
        b = [[generator.gauss(100, 5)] for _ in range(8)]
        first = significance.bootstrap_ratio(a, b, 5)
        self.assertEqual(first, significance.bootstrap_ratio(a, b, 5))

    def test_covers_the_truth(self):
        """The 95 % interval holds the true ratio in about 95 % of 200 experiments."""
        generator = random.Random(11)
        for blocks in (4, 10):
            covered = 0
            for experiment in range(200):
                drift = [generator.gauss(1, 0.05) for _ in range(blocks)]
                def side(true):
                    return [[true * d * math.exp(generator.gauss(0, 0.02)) for _ in range(2)]
                            for d in drift]
                _, low, high = significance.bootstrap_ratio(
                    side(110), side(100), experiment, resamples=400)
                covered += low <= 1.1 <= high
            # Binomial(200, 0.95) is under 180 once in a thousand times; few blocks are cautious.
            self.assertGreaterEqual(covered, 180, "%d blocks" % blocks)


class NoiseFloorTest(unittest.TestCase):

    def test_known_spread(self):
        generator = random.Random(5)
        blocks = [[math.exp(generator.gauss(0, 0.02)) for _ in range(2)] for _ in range(200)]
        expected = 1.96 * math.sqrt(2) * math.sqrt(math.pi / 2) * 0.02 / math.sqrt(400)
        self.assertAlmostEqual(significance.noise_floor(blocks), expected, delta=expected * 0.15)

    def test_drift_does_not_count(self):
        self.assertAlmostEqual(significance.noise_floor([[1.0, 1.0], [5.0, 5.0], [9.0, 9.0]]), 0)

    def test_too_few(self):
        self.assertIsNone(significance.noise_floor([[1.0, 2.0], [1.0]]))


if __name__ == "__main__":
    unittest.main()
