"""The whole tool over stand-ins for //bench:remote and the servers: no server, no timing."""

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
from bench.remote_compare import fake_remote, remote_compare

_A, _B = "redis://:secret@a.example:1", "redis://b.example:1"


class RemoteCompareTest(unittest.TestCase):

    def setUp(self):
        self.scratch = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.scratch)
        self.log = self.path("log")
        open(self.log, "w").close()
        for name in ("remote", "local_server"):
            fake_remote.install(self.scratch, name)
        self.write_plan(cells=[{"name": "one", "load": "getset", "flags": {"connections": 1}}])

    def path(self, name):
        return os.path.join(self.scratch, name)

    def write_plan(self, **entries):
        plan = {"name": "test", "blocks": 6, "figures": ["throughput"], **entries}
        with open(self.path("plan.json"), "w") as file:
            json.dump(plan, file)

    def compare(self, *arguments, servers=("--a=" + _A, "--b=" + _B), in_process=True,
                **environment):
        out, err = io.StringIO(), io.StringIO()
        common = {"FAKE_LOG": self.log, "FAKE_FAULT": "", "FAKE_FAULT_ONCE": "",
                  "BUILD_WORKING_DIRECTORY": self.scratch}
        with mock.patch.dict(os.environ, {**common, **environment}), \
                mock.patch.object(machine, "busy_now", return_value=0.0), \
                fake_remote.InProcess() if in_process else contextlib.nullcontext(), \
                contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = remote_compare.main(
                    ["--remote=" + self.path("remote"),
                     "--local-server=" + self.path("local_server"), "--plan=plan.json",
                     "--state=" + self.path("state")] + list(servers) + list(arguments))
            except SystemExit as stop:
                status = stop.code
        return status, out.getvalue(), err.getvalue()

    def calls(self, *words):
        """The logged calls that have all of these words, but for those that only list."""
        with open(self.log) as file:
            return [line for line in file.read().splitlines()
                    if all(word in line for word in words) and "--list" not in line]

    def test_verdicts_json_and_markdown(self):
        self.write_plan(blocks=8, figures=["throughput", "p50"], cells=[
            {"name": "one", "load": "getset", "flags": {"connections": 1}},
            {"name": "two", "load": "structures", "flags": {"connections": 9}}])
        status, out, err = self.compare("--json=out.json", "--markdown=out.md",
                                        FAKE_RATES=json.dumps({"b.example": 9000}))
        self.assertEqual(status, 0, err)
        self.assertEqual(out.count("B is slower"), 5, out)  # four rows and the summary
        self.assertIn("4 rows: 4 B is slower", out)
        self.assertNotIn("LPUSH", out)
        with open(self.path("out.json")) as file:
            result = json.load(file)
        self.assertEqual(len(result["runs"]), 2 * 8 * 4)
        self.assertEqual([row["verdict"] for row in result["rows"]], ["slower"] * 4)
        for row, expected in zip(result["rows"], (0.9, 1 / 0.9) * 2):
            self.assertAlmostEqual(row["ratio"], expected, delta=0.02)
            self.assertLess(row["ratio_low"], row["ratio"])
            self.assertLess(row["p_holm"], 0.05)
        self.assertEqual(result["context"]["not_comparable"], [])
        self.assertEqual(result["context"]["servers"]["a"]["version"], "7.0.15")
        with open(self.path("out.md")) as file:
            document = file.read()
        self.assertIn("| one | throughput ops/s |", document)
        self.assertIn("bazel run //bench:remote_compare -- --a=redis://:***@a.example:1", document)

    def test_equal_servers(self):
        status, out, _ = self.compare("--blocks=12", "--gate=0.97")
        self.assertEqual(status, 0)
        self.assertIn("no difference (within 1 %)", out)

    def test_gate(self):
        rates = json.dumps({"b.example": 9000})
        status, out, _ = self.compare("--gate=0.97", in_process=False, FAKE_RATES=rates)
        self.assertEqual(status, 1, out)
        self.assertRegex(out, r"below the gate of 0\.97: one, throughput: 0\.(89|90)")
        self.assertEqual(self.compare("--gate=0.8", FAKE_RATES=rates)[0], 0)

    def test_data_is_loaded_once_and_removed(self):
        self.write_plan(cells=[
            {"name": "one", "load": "getset", "flags": {"keys": 5, "connections": 1}},
            {"name": "two", "load": "getset", "flags": {"keys": 5, "connections": 2}},
            {"name": "three", "load": "getset", "flags": {"keys": 6, "connections": 1}}])
        self.compare()
        for url in (_A, _B):
            kinds = [("preload=no" not in call, "--keep" in call)
                     for call in self.calls("remote", url)]
            # Loaded and kept; 24 runs that do neither; removed. Once more for the third cell.
            self.assertEqual(kinds, [(True, True)] + [(False, True)] * 24 + [(False, False)] +
                             [(True, True)] + [(False, True)] * 12 + [(False, False)])

    def test_no_command_line_shows_a_password(self):
        """Neither of a run nor, with env:NAME, of the comparison itself."""
        status, out, err = self.compare(servers=("--a=env:SERVER_A", "--b=" + _B), SERVER_A=_A)
        self.assertEqual(status, 0, err)
        calls = self.calls("remote", " at " + _A)
        self.assertEqual(len(calls), 14)
        for call in calls:
            self.assertNotIn("secret", call.partition(" at ")[0])
        self.assertIn("redis://:***@a.example:1", out)
        status, _, err = self.compare(servers=("--a=env:SERVER_A", "--b=" + _B))
        self.assertEqual(status, 2)
        self.assertIn("the environment has no variable SERVER_A", err)

    def test_seeds(self):
        """The two of a half send the same requests, no others do."""
        self.compare()
        seeds = [call.partition("--seed=")[2].split()[0]
                 for call in self.calls("preload=no", "--keep")]
        self.assertEqual(len(seeds), 24)
        self.assertEqual(len(set(seeds)), 12)
        for i in range(0, 24, 2):
            self.assertEqual(seeds[i], seeds[i + 1])

    def test_flags_of_every_cell(self):
        self.compare("--set=connections=7", "--set=keys=9", "--markdown=out.md")
        self.assertEqual(len(self.calls("remote", "--connections=7", "--keys=9")),
                         len(self.calls("remote")))
        with open(self.path("out.md")) as file:
            self.assertIn("--set=connections=7 --set=keys=9", file.read())
        status, _, err = self.compare("--set=url=redis://x")
        self.assertEqual(status, 2)
        self.assertIn("not a cell's to set", err)

    def test_what_a_server_does_not_tell_is_no_row(self):
        self.write_plan(figures=["throughput", "server_cpu"], cells=[
            {"name": "one", "load": "getset", "flags": {"connections": 1}}])
        for told, rows in (("5000", 2), ("", 1)):
            status, out, err = self.compare(FAKE_SERVER_CPU=told)
            self.assertEqual(status, 0, err)
            self.assertIn("%d rows:" % rows, out)
            self.assertEqual("do not tell server cpu" in out, not told)

    def test_the_whole_elasticache_plan(self):
        arguments = ("--plan=elasticache", "--blocks=1", "--set=duration=1ms")
        once = self.path("once")
        status, _, _ = self.compare(*arguments, FAKE_FAULT="b.example|interrupt",
                                    FAKE_FAULT_ONCE=once)
        self.assertEqual(status, 130)
        status, out, err = self.compare(*arguments, "--resume", "--json=out.json")
        self.assertEqual(status, 0, err)
        self.assertIn("192 rows:", out)
        with open(self.path("out.json")) as file:
            found = json.load(file)
        self.assertEqual(len(found["runs"]), 64 * 4)
        self.assertEqual(len({row["cell"] for row in found["rows"]}), 64)
        for row in found["rows"]:
            self.assertEqual(set(row["medians"]), {"a", "b"}, row["name"])
        # Four sizes of values, each loaded once at each server, and once more after the interrupt.
        self.assertEqual(len(self.calls("remote", "--keep")) - len(self.calls(
            "preload=no", "--keep")), 4 * 2 + 2)

    def test_a_shared_processor_is_said(self):
        local = ("--a=redis:" + sys.executable, "--b=valkey:" + sys.executable)
        few = ("--noise=pairs", "--blocks=1")
        _, out, _ = self.compare("--place=together", *few, servers=local)
        self.assertIn("servers and generator share a processor", out)
        # 5 us of the server for each of 10,000 operations a second.
        self.assertRegex(out, r"the server's share of the time, 5 %")
        _, out, _ = self.compare("--place=anywhere", *few, servers=local)
        self.assertNotIn("share a processor", out)

    def test_flags_that_are_handed_through(self):
        self.compare("--extra=--cacert=ca.pem")
        self.assertEqual(len(self.calls("--seed")), len(self.calls("--cacert=ca.pem")))

    def test_servers_side_by_side(self):
        said = {"b.example": {"maxmemory": "1gb", "version": "8.0.1", "server": "valkey"}}
        status, out, _ = self.compare("--json=out.json", FAKE_CONTEXT=json.dumps(said))
        self.assertEqual(status, 0)
        self.assertIn("not comparable: maxmemory no limit against 1gb", out)
        self.assertIn("version", out)
        with open(self.path("out.json")) as file:
            self.assertEqual(json.load(file)["context"]["not_comparable"],
                             ["maxmemory no limit against 1gb"])

    def test_no_password_anywhere(self):
        status, out, err = self.compare("--json=out.json", "--markdown=out.md")
        self.assertEqual(status, 0)
        texts = [out, err]
        for name in ("out.json", "out.md", "state"):
            with open(self.path(name)) as file:
                texts.append(file.read())
        _, out, err = self.compare(FAKE_FAULT="a.example|exit")
        for text in texts + [out, err]:
            self.assertNotIn("secret", text)

    def test_an_invalid_run_is_made_again(self):
        for fault, words in (("invalid", "the generator was CPU-bound"),
                             ("nothing", "nothing was done"), ("marked", "marked invalid")):
            before = len(self.calls("preload=no", "--keep"))
            status, out, err = self.compare(FAKE_FAULT="b.example|" + fault,
                                            FAKE_FAULT_ONCE=self.path("once_" + fault))
            self.assertEqual(status, 0, err)
            self.assertEqual(len(self.calls("preload=no", "--keep")) - before, 25)
            self.assertIn("a run was invalid and made again, of B (redis://b.example:1) at one: "
                          "getset: " + words, out)

    def test_invalid_runs_are_never_averaged_in(self):
        status, out, _ = self.compare(FAKE_FAULT="b.example|invalid")
        self.assertEqual(status, 3)
        self.assertIn("not run", out)
        self.assertIn("12 runs were invalid 3 times and left out", out)
        # One load, 12 places, three attempts each; and the run that removes the data.
        self.assertEqual(len(self.calls("remote", _B)), 1 + 36 + 1)

    def test_a_failed_run_shows_what_it_printed(self):
        for fault, words in (("exit", "connection refused"), ("garbage", "exit status 1"),
                             ("error", "OOM command")):
            status, _, err = self.compare(FAKE_FAULT="b.example|" + fault)
            self.assertEqual(status, 3)
            self.assertIn(words, err)

    def test_an_interrupted_comparison_goes_on(self):
        status, _, err = self.compare(FAKE_FAULT="b.example|interrupt",
                                      FAKE_FAULT_ONCE=self.path("once"))
        self.assertEqual(status, 130)
        self.assertIn("--resume", err)
        made = len(self.calls("preload=no", "--keep"))
        status, out, err = self.compare("--resume")
        self.assertEqual(status, 0, err)
        # 24 runs, and the one that was interrupted.
        self.assertEqual(len(self.calls("preload=no", "--keep")), 25)
        self.assertLess(made, 25)
        # Data may be gone meanwhile: it is loaded anew.
        self.assertEqual(len(self.calls("remote", _B)) - len(self.calls("preload=no", _B)), 2)
        status, again, _ = self.compare("--resume")
        self.assertEqual((status, len(self.calls("preload=no", "--keep"))), (0, 25))
        self.assertEqual(again, out)

    def test_another_comparison_is_not_gone_on_with(self):
        self.compare()
        for arguments in (("--seed=2",), ("--blocks=7",)):
            status, _, err = self.compare("--resume", *arguments)
            self.assertEqual(status, 2)
            self.assertIn("differ", err)
        fake_remote.install(self.scratch, "remote", "# another build\n")
        status, _, err = self.compare("--resume")
        self.assertEqual(status, 2)
        self.assertIn("binaries differ", err)

    def test_local_servers_and_their_twin(self):
        status, out, err = self.compare(
            "--json=out.json", servers=("--a=redis:" + sys.executable,
                                        "--b=valkey:" + sys.executable))
        self.assertEqual(status, 0, err)
        # Three of them for each of six blocks, and to each its data.
        self.assertEqual(len(self.calls("local_server --program=" + sys.executable)), 18)
        self.assertEqual(len(self.calls("remote", "--keep")), 18 + 36)
        self.assertEqual(len(self.calls("preload=no", "--keep")), 36)
        self.assertEqual(len(self.calls("preload=no")), 36)  # the servers go, and their data
        with open(self.path("out.json")) as file:
            (row,) = json.load(file)["rows"]
        self.assertEqual(len(row["blocks"]["a2"]), 6)
        self.assertAlmostEqual(row["twin_ratio"], 1, delta=0.02)
        self.compare("--noise=pairs", servers=("--a=redis:" + sys.executable,
                                               "--b=valkey:" + sys.executable))
        self.assertEqual(len(self.calls("preload=no", "--keep")), 36 + 24)

    def test_twins_that_are_told_apart(self):
        status, out, _ = self.compare("--twin=redis://c.example", FAKE_RATES=json.dumps(
            {"b.example": 9500, "c.example": 9000}))
        self.assertEqual(status, 0)
        self.assertIn("two servers equal to A were told apart", out)
        self.assertIn("inconclusive: within the noise", out)

    def test_a_server_that_does_not_start(self):
        status, _, err = self.compare(servers=("--a=redis:" + sys.executable, "--b=" + _B),
                                      FAKE_FAULT="server")
        self.assertEqual(status, 3)
        self.assertIn("out of memory", err)

    def test_mistakes(self):
        for arguments, words in (
                (("--a=host",), "neither a URL"), (("--b=",), "both --a and --b"),
                (("--plan=fast",), "no plan fast"), (("--plan=none.json",), "No such file"),
                (("--blocks=0",), "1 to 1000"), (("--figures=p77",), "no figure p77"),
                (("--figures=,",), "no figure"), (("--noise=aa",), "needs --twin"),
                (("--noise=pairs", "--twin=redis://c"), "--twin is for"),
                (("--gate=2",), "a ratio"), (("--threshold=0",), "a share")):
            status, _, err = self.compare(*arguments)
            self.assertEqual(status, 2, arguments)
            self.assertIn(words, err)
        self.write_plan(cells=[{"load": "getset", "flags": {"value_size": "bad"}}])
        status, _, err = self.compare()
        self.assertEqual(status, 2)
        self.assertIn("cell getset: --value_size: not valid", err)
        self.write_plan(cells=[{"load": "structure"}])
        status, _, err = self.compare()
        self.assertEqual(status, 2)
        self.assertIn("unknown load structure; did you mean structures", err)
        self.write_plan(cells=[{"load": "getset", "flags": {"rate": 10}}])
        self.assertIn("no cell of plan test has one of these figures", self.compare()[2])
        self.assertEqual(self.calls("--seed"), [])

    def test_too_few_blocks_are_said(self):
        _, out, err = self.compare("--blocks=2")
        self.assertIn("with 2 blocks no row of this plan can be told from chance; 6 could", err)
        self.assertIn("inconclusive: about 8 more runs of each", out)

    def test_list_and_help(self):
        status, out, _ = self.compare("--list")
        self.assertEqual(status, 0)
        self.assertIn("elasticache", out)
        status, out, _ = self.compare("--help")
        self.assertEqual(status, 0)
        self.assertIn("exit status", out)


if __name__ == "__main__":
    unittest.main()
