"""The mutants apply to the sources as they are, and what is caught is told from what is not.

Looks at the tree that its own file is really in, as //tools/tidy does.
"""

import os
import stat
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from tools.mutants import mutants, planted, report

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

# A Bazel that fails the test when the bug is in the file, and knows two other ways to fail.
_FAKE_BAZEL = """#!/bin/sh
if grep -q 'does not parse' code.h; then echo 'error: expected'; exit 1; fi
if grep -q 'bug' code.h; then echo 'the words, in code.h'; exit 3; fi
echo passes
"""


class PlantedTest(unittest.TestCase):

    def test_each_stands_once_in_its_file(self):
        for mutant in planted.MUTANTS:
            with self.subTest(mutant.name):
                with open(os.path.join(_ROOT, mutant.file), encoding="utf-8") as file:
                    text = file.read()
                changed = mutants.planted_text(mutant, text)
                self.assertNotEqual(changed, text)

    def test_each_layer_has_three(self):
        for layer in planted.LAYERS:
            count = sum(mutant.layer == layer for mutant in planted.MUTANTS)
            self.assertGreaterEqual(count, 3, layer)

    def test_names_are_of_one_layer_and_file(self):
        seen = [(m.layer, m.name, m.file) for m in planted.MUTANTS]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertTrue({m.layer for m in planted.MUTANTS} <= set(planted.LAYERS))

    def test_the_tests_exist(self):
        for mutant in planted.MUTANTS:
            package = mutant.test[2:].partition(":")[0]
            self.assertTrue(os.path.exists(os.path.join(_ROOT, package, "BUILD.bazel")),
                            mutant.test)


class ToolTest(unittest.TestCase):

    def setUp(self):
        self._directory = tempfile.TemporaryDirectory()
        self.addCleanup(self._directory.cleanup)
        self.workspace = os.path.join(self._directory.name, "workspace")
        self.scratch = os.path.join(self._directory.name, "scratch")
        os.makedirs(self.workspace)
        self.bazel = os.path.join(self._directory.name, "bazel")
        with open(self.bazel, "w") as file:
            file.write(_FAKE_BAZEL)
        os.chmod(self.bazel, stat.S_IRWXU)
        self.write("code.h", "sound\n")
        self.git("init", "--quiet")
        self.git("add", "code.h")

    def git(self, *words):
        subprocess.run(["git"] + list(words), cwd=self.workspace, check=True)

    def write(self, name, text):
        with open(os.path.join(self.workspace, name), "w") as file:
            file.write(text)

    def run_tool(self, *planted_ones, arguments=()):
        with mock.patch.object(planted, "MUTANTS", list(planted_ones)), \
                mock.patch.dict(os.environ, {"BUILD_WORKSPACE_DIRECTORY": self.workspace}), \
                mock.patch.object(mutants.cli, "say", self.said.append):
            return mutants.main(["--scratch=" + self.scratch, "--bazel=" + self.bazel] +
                                list(arguments))

    said = []

    def mutant(self, name, replace):
        return planted.Mutant("crash", name, "code.h", "sound", replace, "//:test", "the words")

    def test_tells_what_is_caught(self):
        self.said = []
        table = os.path.join(self._directory.name, "table.md")
        status = self.run_tool(
            self.mutant("one", "bug"), self.mutant("two", "harmless"),
            self.mutant("three", "does not parse"), arguments=["--markdown=" + table])
        self.assertEqual(status, 1)
        said = "\n".join(self.said)
        self.assertIn("one: caught", said)
        self.assertIn("two: SURVIVED", said)
        self.assertIn("the test passes", said)
        self.assertIn("three: SURVIVED", said)
        self.assertIn("it does not build", said)
        with open(table) as file:
            text = file.read()
        self.assertIn("3 planted, 1 caught, 2 survived", text)
        self.assertIn("| one | `code.h` | `test` | caught |", text)
        # The copy is sound again, and the workspace was never anything else.
        for place in (self.workspace, self.scratch):
            with open(os.path.join(place, "code.h")) as file:
                self.assertEqual(file.read(), "sound\n")

    def test_all_caught(self):
        self.assertEqual(self.run_tool(self.mutant("one", "bug")), 0)

    def test_the_words_must_be_said(self):
        mutant = self.mutant("one", "bug")
        mutant.words = "other words"
        self.said = []
        self.assertEqual(self.run_tool(mutant), 1)
        self.assertIn("does not say", "\n".join(self.said))

    def test_a_sound_test_that_fails_ends_it(self):
        self.write("code.h", "sound, with a bug\n")
        with mock.patch("sys.stderr"):
            self.assertEqual(self.run_tool(self.mutant("one", "bug")), 1)

    def test_the_copy_follows_the_workspace(self):
        self.write("gone.h", "")
        copy = mutants.Copy(self.workspace, self.scratch)
        copy.refresh()
        self.assertTrue(os.path.exists(os.path.join(self.scratch, "gone.h")))
        before = os.stat(os.path.join(self.scratch, "code.h")).st_mtime_ns
        os.remove(os.path.join(self.workspace, "gone.h"))
        copy.refresh()
        self.assertFalse(os.path.exists(os.path.join(self.scratch, "gone.h")))
        self.assertEqual(os.stat(os.path.join(self.scratch, "code.h")).st_mtime_ns, before)

    def test_mistakes(self):
        with mock.patch("sys.stderr"):
            self.assertEqual(self.run_tool(arguments=["--layers=crashes"]), 2)
            self.assertEqual(self.run_tool(arguments=["--only=no such words"]), 2)


class ReportTest(unittest.TestCase):

    def test_layers_in_their_order(self):
        outcomes = [mutants.Outcome(mutant, True, 1) for mutant in reversed(planted.MUTANTS)]
        text = report.markdown(outcomes)
        places = [text.index("## " + title[0].upper() + title[1:])
                  for layer, title in planted.LAYERS.items()
                  if any(m.layer == layer for m in planted.MUTANTS)]
        self.assertEqual(places, sorted(places))


if __name__ == "__main__":
    sys.exit(unittest.main())
