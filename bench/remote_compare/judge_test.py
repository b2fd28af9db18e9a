import math
import random
import unittest

from bench.compare.verdict import FASTER, INCONCLUSIVE, NOT_RUN, SAME, SLOWER
from bench.remote_compare import judge, plans


def row_of(ratio=1.0, blocks=10, noise=0.0, seed=1, figure="throughput", twin=None, drift=0.03):
    """A row with runs of both, and of a second A where `twin` is its ratio."""
    generator = random.Random(seed)
    row = judge.Row("cell", "cell", "load", judge.FIGURES[figure])
    row.blocks = {system: [] for system in (judge.A, judge.B, judge.TWIN)}
    for _ in range(blocks):
        level = 1e4 * math.exp(generator.gauss(0, drift))
        for system, factor in ((judge.A, 1.0), (judge.B, ratio), (judge.TWIN, twin)):
            row.blocks[system].append([] if factor is None else [
                level * factor * math.exp(generator.gauss(0, noise)) for _ in range(2)])
    row.medians = {system: sorted(v for b in found for v in b)[blocks]
                   for system, found in row.blocks.items() if any(found)}
    return row


def judged(*rows, threshold=judge.DEFAULT_THRESHOLD):
    judge.judge_all(list(rows), threshold)
    return [row.verdict for row in rows]


class VerdictTest(unittest.TestCase):

    def test_clear_cases(self):
        self.assertEqual(judged(row_of(1.2, noise=0.01)), [FASTER])
        self.assertEqual(judged(row_of(0.8, noise=0.01)), [SLOWER])
        self.assertEqual(judged(row_of(1.0, noise=0.002)), [SAME])
        self.assertEqual(judged(row_of(1.0, noise=0.2)), [INCONCLUSIVE])

    def test_of_a_latency_less_is_faster(self):
        self.assertEqual(judged(row_of(1.2, noise=0.01, figure="p99")), [SLOWER])
        self.assertEqual(judged(row_of(0.8, noise=0.01, figure="p99")), [FASTER])

    def test_five_blocks_settle_nothing(self):
        row = row_of(2.0, blocks=5, noise=0.001)
        self.assertEqual(judged(row), [INCONCLUSIVE])
        self.assertEqual(row.more, 2)
        self.assertEqual(judged(row_of(2.0, blocks=6, noise=0.001)), [FASTER])

    def test_a_difference_within_the_threshold_is_none(self):
        self.assertEqual(judged(row_of(1.005, noise=0.0005)), [SAME])
        self.assertEqual(judged(row_of(1.005, noise=0.0005), threshold=0.001), [FASTER])

    def test_a_difference_has_to_exceed_what_equal_servers_show(self):
        row = row_of(1.03, noise=0.002, twin=0.95)
        self.assertEqual(judged(row), [INCONCLUSIVE])
        self.assertTrue(row.under_floor)
        self.assertAlmostEqual(row.floor, 1 / 0.95 - 1, delta=0.01)
        self.assertEqual(judge.told_apart_twins([row]), [row])
        row = row_of(1.03, noise=0.002, twin=1.001)
        self.assertEqual(judged(row), [FASTER])
        self.assertEqual(judge.told_apart_twins([row]), [])

    def test_many_rows_want_more_blocks(self):
        rows = [row_of(1.1, blocks=6, noise=0.001, seed=n) for n in range(20)]
        self.assertEqual(set(judged(*rows)), {INCONCLUSIVE})
        # 2/2^n < 0.05/20 from 10 blocks on.
        self.assertEqual(rows[0].more, 8)

    def test_estimates_grow_with_the_noise(self):
        more = []
        for noise in (0.03, 0.2):
            row = row_of(1.02, noise=noise, seed=4)
            self.assertEqual(judged(row), [INCONCLUSIVE])
            more.append(row.more)
        self.assertGreater(more[1], more[0])

    def test_rows_without_runs(self):
        row = row_of()
        row.medians.pop(judge.B)
        self.assertEqual(judged(row), [NOT_RUN])
        # Runs, but no whole block: figures, and no verdict.
        row = row_of(1.5)
        row.blocks[judge.B] = [[value[0]] for value in row.blocks[judge.B]]
        self.assertEqual(judged(row), [INCONCLUSIVE])
        self.assertEqual((row.low, row.high), (0.0, math.inf))

    def test_gate(self):
        slow, slow_p99 = row_of(0.9, noise=0.005), row_of(1.2, noise=0.005, figure="p99")
        rows = [slow, slow_p99, row_of(1.1, noise=0.005), row_of(0.9, noise=0.3, seed=3)]
        judged(*rows)
        self.assertEqual(judge.below_gate(rows, 0.97), [slow, slow_p99])
        self.assertEqual(judge.below_gate(rows, 0.87), [slow_p99])
        self.assertEqual(judge.below_gate(rows, 0.5), [])


class RowsTest(unittest.TestCase):

    def run_of(self, system, block, rows, cell="c", invalid=""):
        return {"cell": cell, "system": system, "block": block, "rows": rows, "invalid": invalid}

    def test_loads_of_a_cell_are_rows(self):
        cell = plans.Cell("c", "suite", {})
        figures = {"items_per_second": 10.0, "p99_ns": 5.0}
        runs = [self.run_of(system, 0, {"x": figures, "y": figures}) for system in "abab"]
        rows = judge.rows_of(runs, [cell], ["throughput", "p99"], 1)
        self.assertEqual([(row.name, row.figure.name) for row in rows], [
            ("c: x", "throughput"), ("c: x", "p99"), ("c: y", "throughput"), ("c: y", "p99")])
        self.assertEqual(rows[0].blocks[judge.A], [[10.0, 10.0]])
        self.assertEqual(rows[1].medians, {"a": 5.0, "b": 5.0})

    def test_invalid_runs_leave_holes(self):
        cell = plans.Cell("c", "getset", {})
        figures = {"getset": {"items_per_second": 10.0}}
        runs = [self.run_of("a", 0, figures), self.run_of("b", 0, figures, invalid="hits"),
                self.run_of("a", 1, figures), self.run_of("b", 1, {"getset": {}})]
        (row,) = judge.rows_of(runs, [cell], ["throughput"], 2)
        self.assertEqual(row.name, "c")
        self.assertEqual(row.blocks, {"a": [[10.0], [10.0]], "b": [[], []], "a2": [[], []]})

    def test_a_cell_without_runs_has_its_rows(self):
        (row,) = judge.rows_of([], [plans.Cell("c", "getset", {})], ["p99"], 1)
        self.assertEqual(judged(row), [NOT_RUN])


class SimulationTest(unittest.TestCase):
    """Verdicts of whole comparisons, as often as it takes to see their rates."""

    def share(self, ratio, count, rows, blocks, noise, wanted):
        found = 0
        for number in range(count):
            made = [row_of(ratio, blocks, noise, seed=number * 1000 + i) for i in range(rows)]
            found += any(verdict in wanted for verdict in judged(*made))
        return found / count

    def test_equal_servers(self):
        # Of 1000 at 5 %: over 7.2 % once in a thousand times; of 200 over 10.5 %.
        told = (FASTER, SLOWER)
        self.assertLessEqual(self.share(1.0, 1000, 1, 8, 0.02, told), 0.072)
        self.assertLessEqual(self.share(1.0, 200, 9, 10, 0.02, told), 0.105)

    def test_three_percent(self):
        # In 1.5 % of noise from run to run, which is what short runs on a shared machine show.
        self.assertGreaterEqual(self.share(0.97, 300, 1, 10, 0.015, (SLOWER,)), 0.95)
        self.assertEqual(self.share(0.97, 300, 1, 10, 0.015, (FASTER,)), 0.0)

    def test_equality_is_found_too(self):
        self.assertGreaterEqual(self.share(1.0, 100, 1, 20, 0.01, (SAME,)), 0.9)


if __name__ == "__main__":
    unittest.main()
