"""The binary of //bench:remote as it is run, at toy sizes.

    remote_smoke_test <remote>
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

_REMOTE = os.path.abspath(sys.argv[1])


class SmokeTest(unittest.TestCase):

    def run_remote(self, *arguments, **options):
        environment = {name: value for name, value in os.environ.items()
                       if name != "BUILD_WORKING_DIRECTORY"}
        return subprocess.run([_REMOTE] + list(arguments), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=environment, **options)

    def test_the_representative_set(self):
        with tempfile.TemporaryDirectory() as scratch:
            done = self.run_remote("--requests=300", "--keys=200", "--elements=700",
                                   "--connections=4", "--json=out.json", cwd=scratch)
            # The open loop may slip where the machine is busy, and then says so.
            self.assertTrue(done.returncode == 0 or "INVALID" in done.stdout,
                            done.stdout + done.stderr)
            with open(os.path.join(scratch, "out.json")) as file:
                written = json.load(file)
        names = [row["name"] for row in written["benchmarks"]]
        self.assertIn("redis/getset/connections:4", names)
        self.assertIn("redis/structures/ZADD/connections:4", names)
        self.assertIn("redis/getset/connections:4/rate:10000", names)
        # <label>/<load>/connections:<n>, or with the operation before the connections.
        loads = [row for row in written["benchmarks"]
                 if row["name"].split("/")[2].startswith("connections:")]
        for row in loads:
            self.assertGreater(row["ops"], 0, row["name"])
        for row in written["benchmarks"]:
            self.assertEqual(row["errors"], 0, row["name"])
        # A rare operation may not come up in so few requests, but none is left out of the sum.
        whole = {row["name"]: row["ops"] for row in loads}["redis/structures/connections:4"]
        parts = [row["ops"] for row in written["benchmarks"]
                 if row not in loads and row["name"].startswith("redis/structures/")]
        self.assertEqual(sum(parts), whole)

    def test_help_and_mistakes(self):
        shown = self.run_remote("--help")
        self.assertEqual(shown.returncode, 0)
        self.assertIn("Examples:", shown.stdout)
        wrong = self.run_remote("--load=getst")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("did you mean getset?", wrong.stderr)
        refused = self.run_remote("--url=redis://127.0.0.1:1", "--requests=1", "--load=getset")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("error: 127.0.0.1:1", refused.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
