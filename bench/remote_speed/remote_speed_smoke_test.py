"""The whole program over real servers, at toy sizes. No timing.

    remote_speed_smoke_test <remote> <local_server> <instant_server>
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

_REMOTE, _LOCAL_SERVER, _INSTANT_SERVER = (os.path.abspath(path) for path in sys.argv[1:4])


class SmokeTest(unittest.TestCase):

    def call(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "bench.remote_speed.remote_speed", "--remote=" + _REMOTE,
             "--local-server=" + _LOCAL_SERVER, "--instant-server=" + _INSTANT_SERVER] +
            list(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path),
                 "BUILD_WORKING_DIRECTORY": ""})

    @unittest.skipUnless(shutil.which("redis-server") and shutil.which("redis-benchmark"),
                         "redis-server or redis-benchmark is not installed")
    def test_all_tables(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "out.json")
            done = self.call("--blocks=1", "--requests=3200", "--keys=50", "--connections=4",
                             "--rate=2000", "--json=" + path)
            # 1: latencies of a busy machine.
            self.assertIn(done.returncode, (0, 1), done.stderr)
            with open(path) as file:
                found = json.load(file)
        names = ["GET, pipeline 1", "SET, pipeline 1", "GET, pipeline 16", "SET, pipeline 16"]
        self.assertEqual([row["name"] for row in found["server"]], names)
        self.assertEqual([row["name"] for row in found["instant_server"]], names)
        self.assertEqual(len(found["latency"]), 3)
        # One block: two runs of each of two programs, of four cells on two servers.
        self.assertEqual(len(found["runs"]), 2 * 2 * 4 * 2 + 3)
        for run in found["runs"]:
            self.assertGreater(run["rate"], 0)
            self.assertGreater(run["cpu_ns"], 0)
        for row in found["server"]:
            self.assertGreater(row["details"]["ours"]["server_cpu_ns"], 0)
            self.assertEqual(row["cpu"]["verdict"], "open")
        self.assertIn("a server that answers at once", done.stdout)

    def test_says_what_is_missing(self):
        done = self.call("--redis-benchmark=no-such-program")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no-such-program is not installed", done.stderr)
        done = self.call("--program=no-such-server")
        self.assertEqual(done.returncode, 2)

    def test_help_has_examples(self):
        done = self.call("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("bazel run //bench:remote_speed -- ", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
