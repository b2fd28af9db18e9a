"""The whole tool over stand-ins for bench binaries: no engine, no timing."""

import contextlib
import io
import json
import os
import shutil
import stat
import sys
import tempfile
import unittest
from unittest import mock

from bench.compare import compare, machine, state, systems

_FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake_bench.py")
_KNOWN = systems.Known(["memory", "lsm_leveled", "lsm_leveled_skiplist"],
                       {"lsm": [["bplus_tree", "skip_list"], ["single", "hashed256"]]})


class KnownTest(unittest.TestCase):

    def test_each_kind_has_its_package(self):
        known = systems.Known(["memory"], {}, peers=["locked_map"], servers=["redis"])
        self.assertEqual(known.target("memory"), "//bench:memory")
        self.assertEqual(known.target("locked_map"), "//bench/peers:locked_map")
        self.assertEqual(known.target("redis"), "//bench:redis")
        self.assertIn("redis", known.text())
        with self.assertRaisesRegex(systems.UsageError, "did you mean redis"):
            known.target("rediss")


class CompareTest(unittest.TestCase):

    def setUp(self):
        self.scratch = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.scratch)
        self.log = os.path.join(self.scratch, "log")
        open(self.log, "w").close()
        self.environment = {
            "FAKE_LOG": self.log,
            "FAKE_RATES": json.dumps({"a": 1e6, "b": 1e6, "twice": 2e6}),
            "FAKE_FAULT": "",
            "FAKE_FAULT_ONCE": "",
            "BUILD_WORKSPACE_DIRECTORY": "",
            "BUILD_WORKING_DIRECTORY": "",
        }
        for name in ("a", "b", "twice"):
            self.install(name)

    def install(self, name, addition=""):
        path = os.path.join(self.scratch, name)
        with open(_FAKE) as source, open(path, "w") as file:
            file.write("#!%s\n" % sys.executable + source.read() + addition)
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)

    def spec(self, *names):
        return "--systems=" + ",".join(
            "%s=%s" % (name, os.path.join(self.scratch, name)) for name in names)

    def compare(self, *arguments, **environment):
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.dict(os.environ, {**self.environment, **environment}), \
                mock.patch.object(systems.Known, "load", return_value=_KNOWN), \
                mock.patch.object(machine, "probe_fdatasync", return_value=1e-4), \
                mock.patch.object(machine, "busy_now", return_value=0.0), \
                contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = compare.main(
                    ["--state=" + os.path.join(self.scratch, "state"),
                     "--dir=" + self.scratch] + list(arguments))
            except SystemExit as stop:
                status = stop.code
        return status, out.getvalue(), err.getvalue()

    def runs(self):
        with open(self.log) as file:
            return file.read().splitlines()

    def test_verdicts_and_json(self):
        path = os.path.join(self.scratch, "out.json")
        status, out, _ = self.compare(
            self.spec("a", "b", "twice"), "--workloads=fillrandom,readrandom", "--repetitions=10",
            "--threads=1,2", "--json=" + path)
        self.assertEqual(status, 0, out)
        self.assertEqual(len(self.runs()), 30)
        self.assertEqual(out.count("baseline\n"), 4)
        self.assertEqual(out.count("no difference"), 4)
        self.assertEqual(out.count("faster"), 4)
        self.assertIn("readrandom, 2 threads (median of 10 runs", out)
        self.assertIn("1k keys of 16 B", out)
        with open(path) as file:
            result = json.load(file)
        self.assertEqual(len(result["runs"]), 30)
        self.assertEqual(len(result["rows"]), 12)
        self.assertEqual(len(result["runs"][0]["fdatasync_us"]), 2)
        self.assertAlmostEqual(
            [r["ratio"] for r in result["rows"] if r["system"] == "twice"][0], 2, delta=0.1)

    def test_gate(self):
        arguments = ("--workloads=readrandom", "--repetitions=6", "--gate=0.95")
        status, out, _ = self.compare(self.spec("twice", "a"), *arguments)
        self.assertEqual(status, 1, out)
        self.assertIn("below the gate of 0.95: a at readrandom", out)
        self.assertEqual(self.compare(self.spec("a", "twice"), *arguments)[0], 0)

    def test_flags_reach_the_binaries(self):
        self.compare(self.spec("a"), "--repetitions=1", "--num=5k", "--value-size=7",
                     "--min-time=2s", "--extra=--cache_mb=8")
        for flag in ("--num=5k", "--value_size=7", "--duration=2s", "--cache_mb=8"):
            self.assertIn(flag, self.runs()[0])

    def test_both_systems_of_a_block_get_the_same_seed(self):
        self.compare(self.spec("a", "b"), "--repetitions=4")
        seeds = [word for line in self.runs() for word in line.split() if "--seed=" in word]
        self.assertEqual(len(set(seeds[:4])), 1)
        self.assertEqual(len(set(seeds)), 2)

    def test_a_failed_run_shows_what_it_printed(self):
        status, _, err = self.compare(self.spec("a", "b"), FAKE_FAULT="b:exit")
        self.assertEqual(status, 3)
        self.assertIn("the disk is full", err)
        for fault, words in (("garbage", "no readable report"), ("error", "checksum mismatch")):
            status, _, err = self.compare(self.spec("a", "b"), FAKE_FAULT="b:" + fault)
            self.assertEqual(status, 3)
            self.assertIn(words, err)

    def test_an_invalid_run_is_made_again(self):
        once = os.path.join(self.scratch, "once")
        status, out, _ = self.compare(self.spec("a", "b"), "--workloads=readrandom",
                                      FAKE_FAULT="b:nothing", FAKE_FAULT_ONCE=once)
        self.assertEqual(status, 0)
        self.assertEqual(len(self.runs()), 13)
        self.assertIn("a run of b was invalid and was made again", out)

    def test_invalid_runs_are_never_averaged_in(self):
        for fault, words in (("nothing", "did nothing"), ("overflow", "over the histogram")):
            status, out, _ = self.compare(self.spec("a", "b"), "--workloads=readrandom",
                                          FAKE_FAULT="b:" + fault)
            self.assertEqual(status, 3)
            self.assertIn("b at readrandom: not run, invalid: readrandom", out)
            self.assertIn(words, out)

    def test_unordered_systems_leave_rows_out(self):
        arguments = ("--workloads=readrandom,readseq", "--repetitions=6")
        status, out, _ = self.compare(self.spec("a", "b"), *arguments, FAKE_FAULT="b:unordered")
        self.assertEqual(status, 0)
        self.assertEqual(out.count("b at readseq: not run, b is not ordered"), 1)
        self.assertEqual(out.count("not ordered"), 1)
        row = out[out.index("\nreadseq"):].splitlines()[4].split()
        self.assertEqual(row, ["b"] + ["-"] * 8)
        # As the baseline too: the others then have figures, and no ratio.
        status, out, _ = self.compare(self.spec("b", "a", "twice"), *arguments,
                                      FAKE_FAULT="b:unordered")
        self.assertEqual(status, 0)
        self.assertEqual(out.count("not ordered"), 1)
        self.assertEqual(out.count("no baseline"), 2)

    def test_a_row_of_several_workloads_gives_its_reason_once(self):
        status, out, _ = self.compare(self.spec("a", "b"), "--workloads=readseq,readreverse",
                                      "--threads=1,2", FAKE_FAULT="b:unordered")
        self.assertEqual(status, 0)
        self.assertEqual(out.count("b at readseq, readreverse: not run, b is not ordered"), 1)
        self.assertEqual(out.count("not ordered"), 1)

    def test_an_interrupted_comparison_goes_on(self):
        once = os.path.join(self.scratch, "once")
        spec = self.spec("a", "b")
        status, _, err = self.compare(spec, "--workloads=readrandom", FAKE_FAULT="b:interrupt",
                                      FAKE_FAULT_ONCE=once)
        self.assertEqual(status, 130)
        self.assertIn("--resume", err)
        before = len(self.runs())
        status, out, err = self.compare(spec, "--workloads=readrandom", "--resume")
        self.assertEqual(status, 0)
        # 12 runs in all, and the one that was interrupted.
        self.assertEqual(len(self.runs()), 13)
        self.assertLess(before, 13)
        # A finished one has nothing left to run, and says the same again.
        status, again, _ = self.compare(spec, "--workloads=readrandom", "--resume")
        self.assertEqual((status, len(self.runs())), (0, 13))
        self.assertEqual(again[again.index("\nreadrandom"):], out[out.index("\nreadrandom"):])

    def test_another_build_is_not_mixed_in(self):
        self.compare(self.spec("a", "b"), "--repetitions=1")
        self.install("b", "# another build\n")
        status, _, err = self.compare(self.spec("a", "b"), "--repetitions=1", "--resume")
        self.assertEqual(status, 2)
        self.assertIn("binaries differ", err)

    def test_mistakes(self):
        for arguments, words in (
                (["--systems=memoryy"], "did you mean memory"),
                (["--systems=nosuchthing"], "--list lists them"),
                (["--systems="], "names no system"),
                (["--systems=lsm__bplus_tree"], "2 slots"),
                (["--systems=lsm__bplus_tree__two"], "single, hashed256"),
                (["--systems=x=/nowhere/at/all"], "not a program"),
                (["--systems=memory"], "bazel run"),
                ([self.spec("a", "a")], "named twice"),
                ([self.spec("a"), "--workloads=readrandon"], "did you mean readrandom"),
                ([self.spec("a"), "--workloads=,"], "names no workload"),
                ([self.spec("a"), "--workloads=readseq,readseq"], "named twice"),
                ([self.spec("a"), "--repetitions=0"], "1 to 1000"),
                ([self.spec("a"), "--threshold=7"], "a share"),
                ([self.spec("a"), "--threads=0"], "a list")):
            status, _, err = self.compare(*arguments)
            self.assertEqual(status, 2, arguments)
            self.assertIn(words, err)
        self.assertEqual(self.runs(), [])

    def test_list_and_help(self):
        status, out, _ = self.compare("--list")
        self.assertEqual(status, 0)
        self.assertIn("lsm__{bplus_tree,skip_list}__{single,hashed256}", out)
        status, out, _ = self.compare("--help")
        self.assertEqual(status, 0)
        self.assertIn("exit status", out)


class StateTest(unittest.TestCase):

    def test_a_line_that_was_cut_off_is_dropped(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "state")
            kept = state.State(path, {"seed": 1}, resume=False)
            kept.add({"key": "0/0/a"})
            kept.add({"key": "0/0/b"})
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                file.write(text[:-5])
            again = state.State(path, {"seed": 1}, resume=True)
            self.assertEqual(list(again.runs), ["0/0/a"])
            again.add({"key": "0/0/c"})
            self.assertEqual(list(state.State(path, {"seed": 1}, resume=True).runs),
                             ["0/0/a", "0/0/c"])

    def test_default_paths_differ_by_plan_and_not_by_build(self):
        one = state.default_path({"seed": 1, "binaries": {"a": "x"}})
        self.assertEqual(one, state.default_path({"seed": 1, "binaries": {"a": "y"}}))
        self.assertNotEqual(one, state.default_path({"seed": 2, "binaries": {"a": "x"}}))


if __name__ == "__main__":
    unittest.main()
