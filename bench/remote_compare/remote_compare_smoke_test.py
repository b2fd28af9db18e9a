"""The tools over the real //bench:remote and real servers, at toy sizes. No timing.

    remote_compare_smoke_test <remote> <local_server> <slow_proxy>

A machine that has no time for it makes runs invalid, which is a result as well.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

_REMOTE, _LOCAL_SERVER, _SLOW_PROXY = (os.path.abspath(path) for path in sys.argv[1:4])


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed")
class SmokeTest(unittest.TestCase):

    def setUp(self):
        self.scratch = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.scratch)

    def path(self, name):
        return os.path.join(self.scratch, name)

    def start(self, module, *arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "bench.remote_compare." + module, "--remote=" + _REMOTE,
             "--local-server=" + _LOCAL_SERVER] + list(arguments),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            # Whoever runs this may have it ignored, which a child inherits.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path),
                 "XDG_CACHE_HOME": self.scratch, "BUILD_WORKING_DIRECTORY": ""})

    def call(self, module, *arguments):
        with self.start(module, *arguments) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def test_a_comparison(self):
        with open(self.path("plan.json"), "w") as file:
            json.dump({"blocks": 2, "flags": {"requests": 300, "keys": 50, "connections": 2},
                       "cells": [{"name": "get-set", "load": "getset"},
                                 {"name": "mixed", "load": "structures"}]}, file)
        arguments = ["--a=redis", "--b=redis", "--plan=" + self.path("plan.json"),
                     "--json=" + self.path("out.json"), "--markdown=" + self.path("out.md")]
        done = self.call("remote_compare", *arguments)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        with open(self.path("out.json")) as file:
            found = json.load(file)
        self.assertEqual(len(found["runs"]), 2 * 2 * 2 * 3)
        self.assertEqual([(row["cell"], row["figure"]) for row in found["rows"]],
                         [(cell, figure) for cell in ("get-set", "mixed")
                          for figure in ("throughput", "p99", "server_cpu")])
        for run in found["runs"]:
            self.assertEqual(run["context"]["server"], "redis")
            self.assertNotEqual(run["context"]["version"], "unknown")
            for figures in run["rows"].values():
                self.assertGreater(figures["items_per_second"], 0)
                self.assertEqual(figures["errors"], 0)
        self.assertEqual(found["context"]["not_comparable"], [])
        with open(self.path("out.md")) as file:
            self.assertIn("| get-set | throughput ops/s |", file.read())
        # With everything kept, resuming makes no run and says the same.
        again = self.call("remote_compare", *arguments, "--resume")
        self.assertEqual((again.returncode, again.stdout), (done.returncode, done.stdout))

    def lines(self, name):
        try:
            with open(self.path(name)) as file:
                return file.readlines()
        except FileNotFoundError:
            return []

    def test_an_interrupted_one_goes_on(self):
        with open(self.path("plan.json"), "w") as file:
            json.dump({"blocks": 2, "figures": ["throughput"],
                       "flags": {"duration": "5ms", "warmup": "1ms", "keys": 50, "connections": 2},
                       "cells": [{"name": name, "load": "getset", "flags": {"pipeline": depth}}
                                 for name, depth in (("one", 1), ("two", 2), ("four", 4))]}, file)
        arguments = ["--a=redis", "--b=redis", "--noise=pairs", "--plan=" + self.path("plan.json"),
                     "--state=" + self.path("state"), "--json=" + self.path("out.json")]
        with self.start("remote_compare", *arguments) as first:
            while len(self.lines("state")) < 6 and first.poll() is None:
                time.sleep(0.005)
            first.send_signal(signal.SIGINT)
            _, err = first.communicate()
        self.assertEqual(first.returncode, 130, err)
        kept = [line for line in self.lines("state") if line.endswith("\n")]
        self.assertLess(len(kept), 1 + 24)
        done = self.call("remote_compare", *arguments, "--resume")
        self.assertIn(done.returncode, (0, 3), done.stderr)
        self.assertIn("going on after %d finished runs" % (len(kept) - 1), done.stderr)
        self.assertEqual(self.lines("state")[:len(kept)], kept)
        with open(self.path("out.json")) as file:
            self.assertEqual(len(json.load(file)["runs"]), 24)

    def test_trust(self):
        done = self.call("trust", "--slow-proxy=" + _SLOW_PROXY, "--comparisons=1", "--slowed=1",
                         "--slowdown=5", "--blocks=6", "--requests=100",
                         "--json=" + self.path("out.json"))
        self.assertIn(done.returncode, (0, 1), done.stderr)
        with open(self.path("out.json")) as file:
            found = json.load(file)
        slowed = [one for one in found["comparisons"] if one["slowed"]]
        self.assertGreater(slowed[0]["delay_ns"], 0)
        self.assertIn("slowed by 500 %: ", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
