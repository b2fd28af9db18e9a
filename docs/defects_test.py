"""The names in docs/defects.md are those of checks and of broken engines that exist."""

import os
import re
import unittest

_ROOT = os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"])
_CHECKS = (
    "bench/row_context.h",
    "kv/testing/conformance_corruption.cc",
    "kv/testing/conformance_defects.cc",
)
_BROKEN = (
    "bench/row_context_test.cc",
    "kv/testing/conformance_defects_negative_test.cc",
    "kv/testing/conformance_negative_test.cc",
)


def _read(paths):
    text = ""
    for path in paths:
        with open(os.path.join(_ROOT, path), encoding="utf-8") as file:
            text += file.read()
    return text


class DefectsTest(unittest.TestCase):
    def setUp(self):
        rows = [line.split("|") for line in _read(["docs/defects.md"]).splitlines()]
        self.rows = [row for row in rows if len(row) > 4 and row[1].strip().isdigit()]

    def test_there_are_ten(self):
        self.assertEqual([int(row[1]) for row in self.rows], list(range(1, 11)))

    def test_checks_exist(self):
        checks = _read(_CHECKS)
        for row in self.rows:
            names = re.findall(r"`(\w+)`", row[3])
            self.assertEqual(names[0][:8], "Defect%02d" % int(row[1]))
            for name in names:
                self.assertIn(name, checks)

    def test_no_check_is_left_out(self):
        listed = {name for row in self.rows for name in re.findall(r"`(\w+)`", row[3])}
        found = set(re.findall(r"\bDefect\d\d\w+", _read(_CHECKS)))
        self.assertEqual(found - listed, set())

    def test_broken_engines_exist_and_are_shown_to_the_checks(self):
        broken = _read(_BROKEN)
        for row in self.rows:
            names = re.findall(r"`(\w+)`", row[4])
            self.assertNotEqual(names, [])
            for name in names + [re.search(r"`(\w+)`", row[3])[1]]:
                self.assertRegex(broken, r"\b%s\b" % name)


if __name__ == "__main__":
    unittest.main()
