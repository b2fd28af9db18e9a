"""Tests of aims.py: which intervals reach an aim, and which ratio comes of which runs."""

import math
import unittest

from bench.remote_speed import aims, rivals
from bench.remote_speed.rivals import OURS, THEIRS


def _runs(blocks, ours, theirs, **more):
    """Two runs of each in a block; the second a little faster in both."""
    return [{"system": system, "block": block, "rate": rate * factor, "cpu_ns": 1e9 / rate, **more}
            for block in range(blocks) for factor in (1.0, 1.02)
            for system, rate in ((OURS, ours), (THEIRS, theirs))]


class AimTest(unittest.TestCase):

    def test_the_whole_interval_decides(self):
        at_least = aims.Aim(1.3, True)
        self.assertEqual(at_least.verdict(1.31, 1.5), aims.REACHED)
        self.assertEqual(at_least.verdict(1.1, 1.29), aims.MISSED)
        self.assertEqual(at_least.verdict(1.2, 1.4), aims.OPEN)
        at_most = aims.Aim(1.0, False)
        self.assertEqual(at_most.verdict(0.8, 0.99), aims.REACHED)
        self.assertEqual(at_most.verdict(1.01, 1.2), aims.MISSED)
        self.assertEqual(at_most.verdict(0.9, 1.1), aims.OPEN)

    def test_no_interval_settles_nothing(self):
        for at_least in (True, False):
            self.assertEqual(aims.Aim(1.0, at_least).verdict(0, math.inf), aims.OPEN)


class RowTest(unittest.TestCase):

    def row(self, ours, theirs, blocks=8, aims_at_rate=True, **more):
        cell = rivals.Cell("get", 16, 50, 100, 1000)
        return aims.Row(cell.name, cell, _runs(blocks, ours, theirs, **more), blocks, aims_at_rate)

    def test_ratios_are_ours_over_theirs(self):
        row = self.row(150, 100)
        self.assertAlmostEqual(row.rate.ratio, 1.5)
        self.assertAlmostEqual(row.cpu.ratio, 100 / 150)
        self.assertEqual((row.rate.verdict, row.cpu.verdict), (aims.REACHED, aims.REACHED))
        slower = self.row(100, 150)
        self.assertAlmostEqual(slower.rate.ratio, 100 / 150)
        self.assertEqual((slower.rate.verdict, slower.cpu.verdict), (aims.MISSED, aims.MISSED))

    def test_few_blocks_leave_aims_open(self):
        row = self.row(300, 100, blocks=aims.ENOUGH_BLOCKS - 1)
        self.assertEqual((row.rate.verdict, row.cpu.verdict), (aims.OPEN, aims.OPEN))
        self.assertIsNone(row.as_json()["rate"]["ratio_high"])
        self.assertEqual(self.row(300, 100, blocks=aims.ENOUGH_BLOCKS).rate.verdict, aims.REACHED)

    def test_no_aim_no_verdict(self):
        self.assertEqual(self.row(100, 150, aims_at_rate=False).rate.verdict, aims.NONE)

    def test_a_server_without_rest_is_the_limit(self):
        self.assertTrue(self.row(1, 1, server_share=0.99).server_is_the_limit)
        self.assertFalse(self.row(1, 1, server_share=0.80).server_is_the_limit)
        self.assertFalse(self.row(1, 1).server_is_the_limit)


class LatencyTest(unittest.TestCase):

    def latency(self, p99s, has_aim=True):
        runs = [{"rate": 1e4, "p50_us": 10, "p99_us": p99, "p999_us": 100, "max_us": 200,
                 "cpu_ns": 1, "spun_ns": 0} for p99 in p99s]
        return aims.Latency("1 connection", runs, has_aim)

    def test_the_median_run_decides(self):
        self.assertEqual(self.latency([20, 30, 4000]).verdict, aims.REACHED)
        self.assertEqual(self.latency([20, 51, 52]).verdict, aims.MISSED)
        self.assertEqual(self.latency([90], has_aim=False).verdict, aims.NONE)
        found = self.latency([20, 30, 4000]).as_json()
        self.assertEqual((found["p99_least_us"], found["p99_greatest_us"]), (20, 4000))


if __name__ == "__main__":
    unittest.main()
