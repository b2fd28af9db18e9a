"""//bench:remote_trust over stand-ins for //bench:remote, servers and proxy."""

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import unittest
from unittest import mock

from bench.compare import machine
from bench.remote_compare import fake_remote, judge, trust


class StatisticsTest(unittest.TestCase):

    def test_binomial_tail(self):
        self.assertAlmostEqual(trust.binomial_tail(0, 40, 0.05), 1)
        self.assertAlmostEqual(trust.binomial_tail(1, 2, 0.5), 0.75)
        # Of 40 at 5 %, 5 or more come once in twenty times: where a rate of 5 % ends.
        self.assertGreater(trust.binomial_tail(4, 40, 0.05), 0.05)
        self.assertLess(trust.binomial_tail(5, 40, 0.05), 0.05)

    def test_published_intervals(self):
        # Clopper and Pearson; as R's binom.test has them.
        for count, trials, low, high in ((0, 40, 0, 0.0881), (2, 40, 0.0061, 0.1692),
                                         (39, 40, 0.8684, 0.9994), (40, 40, 0.9119, 1)):
            found = trust.rate_interval(count, trials)
            self.assertAlmostEqual(found[0], low, places=4)
            self.assertAlmostEqual(found[1], high, places=4)

    def test_order(self):
        self.assertEqual(trust.order_of(2, 2), [False, True, False, True])
        self.assertEqual(trust.order_of(3, 0), [False] * 3)
        order = trust.order_of(40, 10)
        self.assertEqual((len(order), sum(order), sum(order[:25])), (50, 10, 5))


class CountsTest(unittest.TestCase):

    def counts(self, verdicts, slowed):
        outcomes = []
        for number, verdict in enumerate(verdicts):
            row = judge.Row("c", "c", "getset", judge.FIGURES["throughput"])
            row.verdict, row.ratio = verdict, 1.0
            outcomes.append(trust.Outcome(number, slowed, 0, 0, row))
        return trust.Counts(outcomes)

    def test_complaints(self):
        none = self.counts([], True)
        fair = self.counts(["faster"] * 4 + ["no difference"] * 36, False)
        self.assertEqual(trust.complaints(fair, none), [])
        biased = self.counts(["faster"] * 5 + ["no difference"] * 35, False)
        self.assertEqual(len(trust.complaints(biased, none)), 1)
        self.assertEqual(trust.complaints(fair, self.counts(["slower"] * 3 + ["inconclusive"] * 2,
                                                            True)), [])
        for verdicts in (["slower", "inconclusive"], ["faster"] * 4):
            self.assertEqual(len(trust.complaints(fair, self.counts(verdicts, True))), 1)


class TrustTest(unittest.TestCase):

    def setUp(self):
        self.scratch = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.scratch)
        self.log = os.path.join(self.scratch, "log")
        open(self.log, "w").close()
        for name in ("remote", "local_server", "slow_proxy"):
            fake_remote.install(self.scratch, name)

    def trust(self, *arguments, **environment):
        out, err = io.StringIO(), io.StringIO()
        common = {"FAKE_LOG": self.log, "BUILD_WORKING_DIRECTORY": self.scratch}
        with mock.patch.dict(os.environ, {**common, **environment}), \
                mock.patch.object(machine, "busy_now", return_value=0.0), \
                fake_remote.InProcess(), \
                contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = trust.main(
                    ["--%s=%s" % (flag, os.path.join(self.scratch, name)) for flag, name in (
                        ("remote", "remote"), ("local-server", "local_server"),
                        ("slow-proxy", "slow_proxy"))] +
                    ["--server=redis:" + sys.executable] + list(arguments))
            except SystemExit as stop:
                status = stop.code
        return status, out.getvalue(), err.getvalue()

    def test_equal_and_slowed(self):
        status, out, err = self.trust("--comparisons=2", "--slowed=3", "--blocks=8",
                                      "--json=out.json")
        self.assertEqual(status, 0, out + err)
        self.assertIn("equal servers: 0 of 2 told apart", out)
        self.assertIn("slowed by 3 %: 3 of 3 told apart, 3 of them as slower", out)
        # 10,000 a second on one connection: 100 us, of which 3 % are 3 us.
        self.assertRegex(err, r"(2\.9|3\.0)\d us more than (99|100)\.\d us")
        with open(os.path.join(self.scratch, "out.json")) as file:
            found = json.load(file)
        self.assertEqual(found["equal"]["told"], 0)
        for one in found["comparisons"]:
            if one["slowed"]:
                self.assertAlmostEqual(one["delay_ns"], 3000, delta=60)
                self.assertAlmostEqual(one["row"]["ratio"], 1 / 1.03, delta=0.01)
            else:
                self.assertEqual(one["delay_ns"], 0)
        with open(self.log) as file:
            calls = file.read().splitlines()
        # Servers and proxies of its own for each comparison.
        for name in ("local_server", "slow_proxy"):
            self.assertEqual(sum(call.startswith(name) for call in calls), 10)

    def test_what_is_too_noisy_is_said(self):
        status, out, _ = self.trust("--comparisons=0", "--slowed=2", "--blocks=6",
                                    FAKE_NOISE="0.2")
        self.assertEqual(status, 1)
        self.assertIn("no more than half of the slowed servers", out)

    def test_mistakes_and_failures(self):
        for arguments, words in (
                (("--comparisons=0",), "nothing to compare"), (("--blocks=3",), "from 6 to"),
                (("--slowdown=-1",), "a share"), (("--requests=0",), "at least 1"),
                (("--server=redis://x",), "started here")):
            status, _, err = self.trust(*arguments)
            self.assertEqual(status, 2, arguments)
            self.assertIn(words, err)
        status, _, err = self.trust("--comparisons=1", FAKE_FAULT="server")
        self.assertEqual(status, 3)
        self.assertIn("out of memory", err)
        self.assertEqual(self.trust("--help")[0], 0)


if __name__ == "__main__":
    unittest.main()
