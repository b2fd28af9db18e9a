"""The whole program at toy sizes, over binaries that exist: every row is read, none is judged.

    claims_smoke_test <micro> <memory>
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

_MICRO, _MEMORY = (os.path.abspath(path) for path in sys.argv[1:3])


class SmokeTest(unittest.TestCase):

    def run_claims(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "bench.claims.claims"] + list(arguments),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path),
                 "BUILD_WORKING_DIRECTORY": ""})

    def test_every_row_of_the_named_experiments(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "out.json")
            done = self.run_claims(
                "--only=memtables,index,count memory,batches", "--repetitions=2",
                "--min-time=10ms", "--dir=" + scratch, "--json=" + path, "--binary=micro=" + _MICRO,
                *("--binary=%s=%s" % (name, _MEMORY) for name in (
                    "memory", "memory_ordered", "sharded_hash_map", "locked_ordered_map")))
            # Toy sizes on a busy machine may fail any row; what counts is that all are measured.
            self.assertIn(done.returncode, (0, 1), done.stderr)
            with open(path) as file:
                claims = json.load(file)["claims"]
        self.assertEqual(len(claims), 8 + 1 + 8 + 6)
        for claim in claims:
            self.assertGreater(claim["ours"], 0, claim["title"])
            self.assertIn(claim["verdict"], ("pass", "FAIL", "explained", "shown"))
            self.assertEqual(claim["verdict"] == "explained", claim["explanation"] != "")
        self.assertEqual(done.returncode, int(any(c["verdict"] == "FAIL" for c in claims)))
        self.assertIn("does not measure: ", done.stdout)

    def test_list_and_mistakes(self):
        listed = self.run_claims("--list")
        self.assertEqual(listed.returncode, 0)
        self.assertIn("256 stripes against one", listed.stdout)
        wrong = self.run_claims("--only=comit")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("did you mean commit", wrong.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
