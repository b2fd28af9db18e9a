import unittest

from bench.claims import claims, judge, table
from bench.compare import systems
from bench.compare.verdict import Row


def row(system, workload, threads, rate, figures=None):
    made = Row(workload, threads, system)
    made.blocks = [[rate, rate * 1.01], [rate * 0.99, rate], [rate, rate]]
    made.figures = figures or {}
    return made


def claim(kind, theirs, **more):
    return table.Claim("a title", "e", kind, theirs, ours="new", against="old", workload="w",
                       **more)


class OutcomeTest(unittest.TestCase):

    def test_ratio(self):
        results = judge.Results([row("new", "w", 1, 500.0), row("old", "w", 1, 100.0)])
        outcome = judge.outcome_of(claim("ratio", 4.4), results)
        self.assertEqual(outcome.verdict, judge.PASS)
        self.assertAlmostEqual(outcome.ours, 5.0)
        self.assertLessEqual(outcome.low, 5.0)
        self.assertGreaterEqual(outcome.high, 5.0)
        self.assertEqual(judge.outcome_of(claim("ratio", 5.5), results).verdict, judge.FAIL)
        self.assertEqual(judge.outcome_of(claim("ratio", None), results).verdict, judge.SHOWN)

    def test_rates_and_times(self):
        results = judge.Results([row("new", "w", 1, 1e6)])
        self.assertEqual(judge.outcome_of(claim("rate", 9e5), results).verdict, judge.PASS)
        self.assertEqual(judge.outcome_of(claim("rate", 2e6), results).verdict, judge.FAIL)
        outcome = judge.outcome_of(claim("nanos_per_batch", 10500, batch=10), results)
        self.assertAlmostEqual(outcome.ours, 10000)
        self.assertLessEqual(outcome.low, outcome.ours)
        self.assertGreaterEqual(outcome.high, outcome.ours)
        self.assertEqual(outcome.verdict, judge.PASS)
        outcome = judge.outcome_of(claim("nanos_per_batch", 9000, batch=10), results)
        self.assertEqual(outcome.verdict, judge.FAIL)

    def test_a_rate_is_the_upper_quartile(self):
        slowed = Row("w", 1, "new")
        slowed.blocks = [[5.0, 10.0], [11.0, 6.0], [4.0, 5.0], [10.0, 3.0]]
        outcome = judge.outcome_of(claim("rate", 9.0), judge.Results([slowed]))
        self.assertEqual(outcome.ours, 10.0)
        self.assertEqual(outcome.verdict, judge.PASS)

    def test_undecided_is_what_more_runs_could_turn(self):
        loud = Row("w", 1, "new")
        loud.blocks = [[5.0, 15.0], [6.0, 14.0], [5.0, 15.0]]
        for theirs, undecided in ((4.0, False), (10.0, True), (16.0, False)):
            outcome = judge.outcome_of(claim("rate", theirs), judge.Results([loud]))
            self.assertEqual(outcome.undecided, undecided, theirs)
        shown = judge.outcome_of(claim("rate", None), judge.Results([loud]))
        self.assertFalse(shown.undecided)

    def test_savings(self):
        results = judge.Results([row("new", "w", 1, 1.0, {"wal_bytes_per_op": 30.0}),
                                 row("old", "w", 1, 1.0, {"wal_bytes_per_op": 100.0})])
        outcome = judge.outcome_of(claim("saving", 0.64), results)
        self.assertAlmostEqual(outcome.ours, 0.7)
        self.assertEqual(outcome.verdict, judge.PASS)

    def test_the_peer_is_quoted(self):
        results = judge.Results([row("new", "w", 1, 500.0), row("old", "w", 1, 100.0),
                                 row("best", "w", 1, 250.0)])
        self.assertAlmostEqual(
            judge.outcome_of(claim("ratio", 4, peer="best"), results).peer, 2.0)


class ContentionTest(unittest.TestCase):

    def outcome(self, old_at_four, new_at_four, cpus=2):
        results = judge.Results([
            row("old", "w", 1, 100.0), row("old", "w", 4, old_at_four),
            row("new", "w", 1, 400.0), row("new", "w", 4, new_at_four)])
        return judge.outcome_of(
            claim("ratio", 7.33, threads=4, explain=["contention"]), results, cpus)

    def test_a_lock_that_does_not_collapse_explains_a_smaller_ratio(self):
        outcome = self.outcome(100.0, 420.0)
        self.assertEqual(outcome.verdict, judge.EXPLAINED)
        self.assertIn("1.00x", outcome.explanation)

    def test_it_does_not_explain_everything(self):
        self.assertEqual(self.outcome(100.0, 300.0).verdict, judge.FAIL)
        self.assertEqual(self.outcome(40.0, 280.0).verdict, judge.FAIL)
        self.assertEqual(self.outcome(100.0, 420.0, cpus=16).verdict, judge.FAIL)


class ProcessorTimeTest(unittest.TestCase):

    def outcome(self, new_rate, old_rate):
        results = judge.Results([row("old", "w", 1, old_rate), row("new", "w", 1, new_rate)])
        return judge.outcome_of(claim("ratio", 2.48, explain=["contention"]), results, cpus=2)

    def test_a_cheaper_peer_explains_a_smaller_ratio(self):
        # Theirs: 273.5 ns a call of the locked map, so 110 ns of their structure, on two threads.
        outcome = self.outcome(10e6, 5e6)
        self.assertEqual(outcome.verdict, judge.EXPLAINED)
        self.assertIn("200 ns of processor time, with theirs it cost 221 ns", outcome.explanation)
        self.assertIn("400 ns here, and there 547 ns", outcome.explanation)

    def test_a_slow_structure_is_a_failure(self):
        self.assertEqual(self.outcome(8e6, 5e6).verdict, judge.FAIL)
        self.assertEqual(self.outcome(8e6, 3.5e6).verdict, judge.FAIL)


class BesidePeerTest(unittest.TestCase):

    def outcome(self, ours, peer, **more):
        results = judge.Results([row("new", "w", 1, ours), row("map", "w", 1, peer)])
        return judge.outcome_of(claim(explain=["beside_peer"], peer="map", **more), results)

    def test_what_the_lab_makes_is_not_counted(self):
        self.assertAlmostEqual(
            1e9 / judge.net_of_making({"items_per_second": 1e7, "gen_ns": 10.0}), 90)
        self.assertEqual(judge.net_of_making({"items_per_second": 1e7}), 1e7)

    def test_a_slower_peer_explains_that_theirs_is_not_reached(self):
        outcome = self.outcome(1e7, 0.5e7, kind="nanos_per_batch", theirs=562, batch=10)
        self.assertEqual(outcome.verdict, judge.EXPLAINED)
        self.assertIn("map, which met the same machine in the same runs, takes 2000 ns for it, "
                      "theirs took 562 ns on their machine; ours takes 1000 ns",
                      outcome.explanation)
        outcome = self.outcome(4e6, 2e6, kind="rate", theirs=1e7)
        self.assertEqual(outcome.verdict, judge.EXPLAINED)
        self.assertIn("takes 500 ns for it, theirs took 100 ns", outcome.explanation)

    def test_a_faster_peer_does_not(self):
        outcome = self.outcome(1e7, 1.1e7, kind="nanos_per_batch", theirs=562, batch=10)
        self.assertEqual(outcome.verdict, judge.FAIL)
        self.assertTrue(outcome.undecided)  # more runs may find it slower


class OneInstantTest(unittest.TestCase):

    def outcome(self, put_rate):
        results = judge.Results([
            row("new", "w", 1, 1.1e7), row("map", "w", 1, 2e7),
            row("new", "overwrite", 1, put_rate)])
        return judge.outcome_of(
            claim("nanos_per_batch", 562, batch=10, peer="map",
                  explain=["beside_peer", "one_instant"]), results)

    def test_single_puts_as_cheap_as_theirs_explain_a_dearer_batch(self):
        outcome = self.outcome(2e7)
        self.assertEqual(outcome.verdict, judge.EXPLAINED)
        self.assertIn("10 single puts of ours take 500 ns", outcome.explanation)

    def test_dear_puts_do_not(self):
        outcome = self.outcome(1e7)
        self.assertEqual(outcome.verdict, judge.FAIL)
        self.assertTrue(outcome.undecided)  # more runs may find the puts cheaper


class KeysOnDiskTest(unittest.TestCase):

    def outcome(self, rate, gets=5e6):
        results = judge.Results([row("new", "w", 1, rate), row("new", "readrandom", 1, gets)])
        return judge.outcome_of(claim("rate", 23853, explain=["keys_on_disk"]), results)

    def test_a_read_of_each_record_explains_a_slow_count(self):
        outcome = self.outcome(4000.0)
        self.assertEqual(outcome.verdict, judge.EXPLAINED)
        self.assertIn("4.2 ns each", outcome.explanation)
        self.assertIn("25.0 ns each (a get of one takes 200 ns)", outcome.explanation)

    def test_more_than_that_is_a_failure(self):
        self.assertEqual(self.outcome(900.0).verdict, judge.FAIL)

    def test_a_count_must_not_cost_more_than_gets(self):
        self.assertEqual(self.outcome(4000.0, gets=50e6).verdict, judge.FAIL)


class EntropyTest(unittest.TestCase):

    def outcome(self, theirs, raw, packed, size):
        results = judge.Results([row("new", "w", 1, 1.0, {"wal_bytes_per_op": packed}),
                                 row("old", "w", 1, 1.0, {"wal_bytes_per_op": raw})])
        return judge.outcome_of(
            claim("saving", theirs, explain=["entropy"], value_size=size), results)

    def test_more_than_all_that_is_not_random_cannot_be_saved(self):
        outcome = self.outcome(0.64, 39.2, 19.6, 20)
        self.assertEqual(outcome.verdict, judge.EXPLAINED)
        self.assertIn("no compressor saves more than 62.0 %", outcome.explanation)
        self.assertIn("With compression it takes 19.6", outcome.explanation)

    def test_that_does_not_explain_poor_compression(self):
        self.assertEqual(self.outcome(0.64, 39.2, 20.0, 20).verdict, judge.FAIL)

    def test_what_can_be_saved_should_be(self):
        self.assertEqual(self.outcome(0.24, 1068.0, 862.0, 1024).verdict, judge.FAIL)


class FigureTest(unittest.TestCase):

    def test_a_verdict_can_be_told_from_what_is_printed(self):
        self.assertEqual(claims._figure("saving", 0.24), "24.0 %")
        self.assertEqual(claims._figure("saving", 0.236), "23.6 %")


class TableTest(unittest.TestCase):

    def test_every_claim_reads_what_its_experiment_runs(self):
        known = systems.Known.load()
        rows = table.claims(known)
        experiments = {e.name: e for e in table.experiments(known)}
        self.assertEqual(len(experiments), len(table.experiments(known)))
        for one in rows:
            run = experiments[one.experiment]
            self.assertIn(one.workload, run.workloads, one.title)
            self.assertIn(one.threads, run.threads, one.title)
            for system in filter(None, (one.ours, one.against, one.peer)):
                self.assertIn(system, run.systems, one.title)
            self.assertIn(one.kind, ("ratio", "rate", "nanos_per_batch", "saving"))
            self.assertTrue(set(one.explain) <= set(judge.EXPLANATIONS), one.title)
            self.assertTrue(one.conditions, one.title)
            if "beside_peer" in one.explain and one.theirs is not None:
                self.assertIsNotNone(one.peer, one.title)
            if "keys_on_disk" in one.explain:
                self.assertIn("readrandom", run.workloads, one.title)
        for name in experiments:
            self.assertTrue(any(one.experiment == name for one in rows), name)
        self.assertEqual(len({one.title for one in rows}), len(rows))

    def test_the_compositions_that_exist_are_found(self):
        """Of what is in engines.bzl and the matrix today, no row is lost by a misspelled name."""
        known = systems.Known.load()
        self.assertEqual([e.name for e in claims.wanted(known, "")],
                         [e.name for e in table.experiments(known)])

    def test_every_engine_is_counted(self):
        known = systems.Known(["x", "x_other", "lsm_a", "memory", "memory_ordered"], {}, {}, {
            "x": "new", "x_other": "new", "lsm_a": "lsm", "memory": "memory",
            "memory_ordered": "memory"})
        counts = [c for c in table.claims(known) if c.experiment.startswith("count ")]
        self.assertEqual(len(counts), 4 * 4)
        self.assertEqual({c.ours for c in counts}, {"x", "lsm_a", "memory", "memory_ordered"})
        self.assertEqual({c.theirs for c in counts if c.ours == "x"}, {None})
        self.assertEqual([c.theirs for c in counts if c.ours == "lsm_a"],
                         [4747, 130662, 1166181, 6106870])
        real = systems.Known.load()
        counted = {real.engines[c.ours] for c in table.claims(real)
                   if c.experiment.startswith("count ")}
        self.assertEqual(counted, set(real.engines.values()))


if __name__ == "__main__":
    unittest.main()
