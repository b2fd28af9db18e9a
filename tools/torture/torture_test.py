"""The tool over real compositions, and over one that fails.

    torture_test <memory_torture> <lsm_leveled_torture>
"""

import argparse
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest

from tools.torture import torture

_BINARIES = {"memory": os.path.abspath(sys.argv[1]), "lsm_leveled": os.path.abspath(sys.argv[2])}

_FAILING = """#!/bin/sh
for word in "$@"; do
  case "$word" in --tally=*) echo '{"rounds": 3, "crashes": 7}' >"${word#--tally=}" ;; esac
done
echo "the arguments: $*" >&2
exit 1
"""


class TortureTest(unittest.TestCase):

    def torture(self, *arguments, binaries=None):
        given = _BINARIES if binaries is None else binaries
        return subprocess.run(
            [sys.executable, "-m", "tools.torture.torture"] + list(arguments) +
            ["--binary=%s=%s" % pair for pair in given.items()],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path),
                 "BUILD_WORKING_DIRECTORY": ""})

    def test_every_layer_of_real_compositions(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "tallies.json")
            done = self.torture("--composition=memory,lsm_leveled", "--duration=10m",
                                "--rounds=%d" % len(torture.LAYERS), "--json=" + path)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(path) as file:
                tallies = json.load(file)
        self.assertIn("2 compositions: 14 rounds", done.stdout)
        self.assertIn("none failed", done.stdout)
        self.assertEqual(tallies["memory"]["crashes"], 0)
        self.assertGreater(tallies["memory"]["concurrent_calls"], 1000)
        for count in ("histories", "concurrent_calls", "crashes", "faults", "refusals", "flips",
                      "kills"):
            self.assertGreater(tallies["lsm_leveled"][count], 0, count)
        self.assertIn("lsm_leveled, ", done.stderr)

    def test_one_layer_of_one_composition(self):
        done = self.torture("--composition=lsm_leveled", "--only=crash", "--rounds=1", "--seed=9")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 rounds, 0 histories", done.stdout)

    def test_a_failure_is_told_and_the_others_go_on(self):
        with tempfile.TemporaryDirectory() as scratch:
            failing = os.path.join(scratch, "failing")
            with open(failing, "w") as file:
                file.write(_FAILING)
            os.chmod(failing, stat.S_IRWXU)
            done = self.torture(
                "--composition=log,memory", "--rounds=2", "--seed=5", "--only=history,crash",
                "--duration=30s", "--jobs=1",
                binaries={"log": failing, "memory": _BINARIES["memory"]})
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED: log", done.stdout)
        self.assertIn("5 rounds", done.stdout)  # 3 and 2
        self.assertIn("--seed=5 --seconds=15", done.stderr)
        self.assertIn("--rounds=2 --only=history,crash", done.stderr)

    def test_list_help_and_mistakes(self):
        listed = self.torture("--list")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn("lsm_fifo", listed.stdout)
        self.assertIn("concurrent", listed.stdout)
        self.assertIn("exit status", self.torture("--help").stdout)
        wrong = self.torture("--composition=lsm_levelled")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("did you mean lsm_leveled", wrong.stderr)
        self.assertEqual(self.torture("--all", "--only=crashes").returncode, 2)

    def test_the_layers_are_those_of_the_programs(self):
        told = subprocess.run([_BINARIES["memory"], "--help"], stdout=subprocess.PIPE, text=True)
        self.assertIn(",".join(torture.LAYERS), told.stdout)

    def test_durations(self):
        self.assertEqual(torture.seconds_of("90"), 90)
        self.assertEqual(torture.seconds_of("10m"), 600)
        self.assertEqual(torture.seconds_of("1.5h"), 5400)
        for wrong in ("", "m", "10 m", "-5s", "10d"):
            with self.assertRaises(argparse.ArgumentTypeError):
                torture.seconds_of(wrong)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
