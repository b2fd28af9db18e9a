import json
import unittest

from bench.policies import cases, judge, report


def runs_of(system, values, refused="", **more):
    """Runs of one system, two to a block, whose rows have these throughputs."""
    return [{
        "system": system, "block": i // 2, "invalid": "",
        "refused": {"w": refused} if refused else {},
        "rows": [] if refused else [
            {"workload": "w", "threads": 1, "figures": {"items_per_second": value, **more}}],
    } for i, value in enumerate(values)]


def around(rate):
    return [rate * (1 + 0.001 * i) for i in range(8)]


def case(policy="own", **more):
    return cases.Case("Slot", policy, "a load", "load,w", **more)


_SYSTEMS = {"own": "x__own", "first": "x__first", "second": "x__second"}


class JudgeTest(unittest.TestCase):

    def judged(self, own, first, second, one=None, **more):
        outcome = judge.outcome_of(one or case(), _SYSTEMS, (
            runs_of("x__own", own, **more) + runs_of("x__first", first)
            + runs_of("x__second", second)))
        judge.judge([outcome], seed=1)
        return outcome

    def test_best_is_better_than_each(self):
        outcome = self.judged(around(200), around(100), around(150))
        self.assertEqual(outcome.verdict, judge.BEST)
        self.assertEqual(outcome.best_sibling, "second")
        self.assertAlmostEqual(outcome.against_best.ratio, 200 / 150, places=3)
        self.assertLess(outcome.against_best.low, outcome.against_best.high)

    def test_level_with_the_best_other(self):
        outcome = self.judged(around(150), around(100), around(150.2))
        self.assertEqual(outcome.verdict, judge.LEVEL)
        self.assertEqual(outcome.best_sibling, "second")

    def test_one_that_is_better_is_enough_to_lose(self):
        outcome = self.judged(around(120), around(100), around(150))
        self.assertEqual(outcome.verdict, judge.NOT_BEST)
        self.assertEqual(outcome.reason, "second better")

    def test_few_runs_settle_nothing(self):
        outcome = self.judged(around(200)[:2], around(100)[:2], around(150)[:2])
        self.assertEqual(outcome.verdict, judge.INCONCLUSIVE)
        self.assertIn("more runs", outcome.reason)

    def test_less_is_better(self):
        runs = []
        for system, size in (("x__own", 10e6), ("x__first", 20e6), ("x__second", 15e6)):
            for run in runs_of(system, around(size)):
                figures = run["rows"][0]["figures"]
                figures["disk_bytes"] = figures["items_per_second"]
                runs.append(run)
        outcome = judge.outcome_of(case(figure="disk"), _SYSTEMS, runs)
        judge.judge([outcome], seed=1)
        self.assertEqual(outcome.verdict, judge.BEST)
        self.assertAlmostEqual(outcome.against_best.ratio, 1.5, places=3)
        self.assertIn("15 MB", report.line(outcome).replace("15.1", "15"))

    def test_who_is_no_choice(self):
        outcome = judge.outcome_of(
            case(without={"second": "it forgets"}), _SYSTEMS,
            runs_of("x__own", around(50)) + runs_of("x__second", around(500))
            + runs_of("x__first", around(1), refused="x__first has no expiry"))
        judge.judge([outcome], seed=1)
        self.assertEqual(outcome.verdict, judge.ONLY)
        self.assertEqual(outcome.no_choice,
                         {"first": "x__first has no expiry", "second": "it forgets"})
        self.assertIsNone(outcome.best_sibling)

    def test_limits_bind_the_others_and_the_policy(self):
        one = case(limit=("space", 1.5))
        outcome = judge.outcome_of(one, _SYSTEMS, (
            runs_of("x__own", around(50), disk_over_live=1.4)
            + runs_of("x__first", around(500), disk_over_live=2.0)
            + runs_of("x__second", around(40), disk_over_live=1.1)))
        judge.judge([outcome], seed=1)
        self.assertEqual(outcome.verdict, judge.BEST)
        self.assertEqual(outcome.no_choice, {"first": "space 2, above 1.5"})
        outcome = self.judged(around(50), around(40), around(30), one, disk_over_live=1.6)
        self.assertEqual(outcome.verdict, judge.NOT_BEST)
        self.assertEqual(outcome.reason, "space 1.6, above 1.5")

    def test_a_policy_without_runs_is_not_best(self):
        outcome = judge.outcome_of(case(), _SYSTEMS, (
            runs_of("x__own", around(1), refused="x__own is not ordered")
            + runs_of("x__first", around(5)) + runs_of("x__second", around(6))))
        judge.judge([outcome], seed=1)
        self.assertEqual((outcome.verdict, outcome.reason),
                         (judge.INCONCLUSIVE, "x__own is not ordered"))

    def test_p_values_are_corrected_for_all_that_is_judged_together(self):
        def made(count):
            outcomes = [judge.outcome_of(case(), _SYSTEMS, (
                runs_of("x__own", around(200)) + runs_of("x__first", around(100))
                + runs_of("x__second", around(150)))) for _ in range(count)]
            judge.judge(outcomes, seed=1)
            return outcomes[0].against_best.p
        self.assertGreater(made(10), made(1))


class ReportTest(unittest.TestCase):

    def test_document(self):
        one = case(without={"second": "it forgets"}, num="5k")
        outcome = judge.outcome_of(one, _SYSTEMS, (
            runs_of("x__own", around(200)) + runs_of("x__first", around(100))
            + runs_of("x__second", around(300))))
        judge.judge([outcome], seed=1)
        context = {"cpu_model": "a processor", "cpus": 2, "kernel": "6.1",
                   "fdatasync_us": [100.0, 90.0, 300.0]}
        text = report.markdown([outcome], {one: "x__own"}, {"load": context}, ["a note"],
                               "bazel run //bench:policies", "2026-01-01", 8)
        for words in ("a processor, 2 CPUs", "2026-01-01", "100 us (90 to 300)", "## Slot",
                      "| `own` | a load | throughput | 201 ops/s | first 100 ops/s | 2.00 (",
                      "| best |", "without `second` (it forgets)", "- Note: a note.",
                      "| `own` | `x__own` | `--workloads=load,w --num=5k` |"):
            self.assertIn(words, text)
        json.dumps(report.as_json(outcome), allow_nan=False)
        self.assertEqual(report.summary([outcome]), "1 best")


if __name__ == "__main__":
    unittest.main()
