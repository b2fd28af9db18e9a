"""The tools over the real //bench:remote and real servers, at toy sizes. No timing.

    remote_compare_smoke_test <remote> <local_server> <slow_proxy>

A machine that has no time for it makes runs invalid, which is a result as well.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

_REMOTE, _LOCAL_SERVER, _SLOW_PROXY = (os.path.abspath(path) for path in sys.argv[1:4])


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed")
class SmokeTest(unittest.TestCase):

    def setUp(self):
        self.scratch = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.scratch)

    def path(self, name):
        return os.path.join(self.scratch, name)

    def call(self, module, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "bench.remote_compare." + module, "--remote=" + _REMOTE,
             "--local-server=" + _LOCAL_SERVER] + list(arguments),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path),
                 "XDG_CACHE_HOME": self.scratch, "BUILD_WORKING_DIRECTORY": ""})

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
                          for figure in ("throughput", "p50", "p99")])
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
