"""The whole program at toy sizes: every experiment runs, every aim is held against a figure.

    coord_smoke_test <micro>
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

from bench.coord import table

_MICRO = os.path.abspath(sys.argv[1])


class SmokeTest(unittest.TestCase):

    def run_coord(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "bench.coord.coord"] + list(arguments),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path),
                 "BUILD_WORKING_DIRECTORY": "", "XDG_CACHE_HOME": os.environ["TEST_TMPDIR"]})

    def test_every_experiment_and_every_aim(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "out.json")
            done = self.run_coord("--repetitions=1", "--min-time=1ms", "--num=200",
                                  "--json=" + path, "--binary=" + _MICRO)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(path) as file:
                written = json.load(file)
        self.assertEqual(list(written["experiments"]), [one.name for one in table.EXPERIMENTS])
        self.assertEqual(len(written["aims"]), len(table.AIMS))
        for aim in written["aims"]:
            self.assertGreater(aim["value"], 0, aim)
        self.assertIn("of %d aims reached" % len(table.AIMS), done.stdout)

    def test_list_and_mistakes(self):
        listed = self.run_coord("--list")
        self.assertEqual(listed.returncode, 0)
        self.assertIn("source_cycle", listed.stdout)
        wrong = self.run_coord("--only=sorce")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("did you mean source", wrong.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
