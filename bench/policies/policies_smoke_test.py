"""The whole program at toy sizes, over binaries that exist: every case is run and read.

    policies_smoke_test <memory>
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

_MEMORY = os.path.abspath(sys.argv[1])


class SmokeTest(unittest.TestCase):

    def run_policies(self, scratch, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "bench.policies.policies"] + list(arguments),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path),
                 "XDG_CACHE_HOME": scratch, "BUILD_WORKING_DIRECTORY": ""})

    def test_a_slot_from_runs_to_document(self):
        with tempfile.TemporaryDirectory() as scratch:
            data, document = (os.path.join(scratch, name) for name in ("out.json", "out.md"))
            arguments = ["--slots=sharding", "--smoke", "--dir=" + scratch, "--json=" + data,
                         "--markdown=" + document]
            arguments += ["--binary=memory__hashed%s__absolute=%s" % (count, _MEMORY)
                          for count in (1, 16, 256)]
            done = self.run_policies(scratch, *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(data) as file:
                found = json.load(file)["policies"]
            with open(document) as file:
                text = file.read()
            # With everything kept, resuming runs nothing anew and says the same.
            again = self.run_policies(scratch, *arguments, "--resume")
            self.assertEqual((again.returncode, again.stdout), (0, done.stdout))
            self.assertNotIn("block", again.stderr)
            # Runs of another build are not gone on with.
            grown = os.path.join(scratch, "grown")
            shutil.copy(_MEMORY, grown)
            with open(grown, "ab") as file:
                file.write(b"\0")
            other = self.run_policies(scratch, *arguments, "--resume",
                                      "--binary=memory__hashed16__absolute=" + grown)
            self.assertEqual(other.returncode, 0, other.stderr)
            self.assertIn("run anew", other.stderr)
        self.assertEqual([one["policy"] for one in found], ["hashed1", "hashed16", "hashed256"])
        for one in found:
            self.assertEqual(one["verdict"], "inconclusive")  # two runs settle nothing
            self.assertEqual(len(one["against"]), 2)
            self.assertIn("| `%s` |" % one["policy"], text)
        self.assertIn("## Sharding", text)
        self.assertIn("bazel run //bench:policies -- --slots=sharding --smoke", text)

    def test_list_help_and_mistakes(self):
        with tempfile.TemporaryDirectory() as scratch:
            listed = self.run_policies(scratch, "--list", "--slots=Commit")
            self.assertEqual(listed.returncode, 0, listed.stderr)
            self.assertIn("Commit: none, every_write, group, pipelined, interval", listed.stdout)
            self.assertNotIn("Memtable", listed.stdout)
            self.assertIn("exit status", self.run_policies(scratch, "--help").stdout)
            wrong = self.run_policies(scratch, "--slots=comit")
            self.assertEqual(wrong.returncode, 2)
            self.assertIn("did you mean commit", wrong.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
