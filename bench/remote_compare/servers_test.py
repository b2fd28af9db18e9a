import os
import sys
import tempfile
import unittest
from unittest import mock

from bench.compare import systems
from bench.remote_compare import comparable, placement, servers


class SpecTest(unittest.TestCase):

    def test_passwords_are_not_shown(self):
        for url, shown in (
                ("redis://:secret@host:1/2", "redis://:***@host:1/2"),
                ("rediss://ann:se@cret@host?db=1", "rediss://ann:***@host?db=1"),
                ("unix://:secret@/path/of@socket", "unix://:***@/path/of@socket"),
                ("redis://:se/cr?et@host", "redis://:***@host"),
                ("unix:///path/of@socket", "unix:///path/of@socket"),
                ("redis+cluster://a:1,b:2", "redis+cluster://a:1,b:2"),
                ("redis://host", "redis://host")):
            self.assertEqual(servers.redacted(url), shown)
            self.assertEqual(servers.parse(url).text, shown)
            self.assertEqual(servers.parse(url).url, url)

    def test_local_ones(self):
        spec = servers.parse("redis:" + sys.executable)
        self.assertTrue(spec.is_local)
        self.assertEqual(spec.program, sys.executable)
        with mock.patch("shutil.which", lambda name: "/bin/" + name):
            self.assertEqual(servers.parse("valkey").program, "/bin/valkey-server")

    def test_mistakes(self):
        with mock.patch("shutil.which", lambda name: None):
            for text, words in (("valkey", "not installed"), ("host:6379", "neither a URL"),
                                ("redis:/nowhere", "not a program"),
                                ("redis:/tmp", "not a program")):
                with self.assertRaisesRegex(systems.UsageError, words):
                    servers.parse(text)

    def test_what_stands_for_no_servers(self):
        said = []
        with mock.patch("shutil.which", lambda name: "/bin/" + name):
            a, b = servers.chosen("", "", said.append)
        self.assertEqual((a.text, b.text), ("redis", "valkey"))
        with mock.patch("shutil.which", lambda name: "redis" in name and "/bin/" + name):
            a, b = servers.chosen("", "", said.append)
        self.assertEqual((a.text, b.text), ("redis", "redis"))
        self.assertIn("no difference to be found", said[1])
        with self.assertRaisesRegex(systems.UsageError, "both --a and --b"):
            servers.chosen("redis://x", "", said.append)


class ChildTest(unittest.TestCase):

    def script(self, text):
        return [sys.executable, "-c", text]

    def test_ends_with_its_input(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "ended")
            with servers.Servers("", placement.anywhere()) as started:
                url = started.start(self.script(
                    "import sys; print('redis://x', flush=True); sys.stdin.read();"
                    "open(%r, 'w').close()" % path))
                self.assertEqual(url, "redis://x")
                self.assertFalse(os.path.exists(path))
            self.assertTrue(os.path.exists(path))

    def test_one_that_does_not_start(self):
        with self.assertRaisesRegex(servers.ServerError, "no memory"):
            with servers.Servers("", placement.anywhere()) as started:
                started.start(self.script("import sys; sys.exit('no memory')"))
        with self.assertRaisesRegex(servers.ServerError, "status 3"):
            servers.Child(self.script("raise SystemExit(3)"))


class PlacementTest(unittest.TestCase):

    WHERE = "import os, sys; print(sorted(os.sched_getaffinity(0)), flush=True); sys.stdin.read()"

    def test_servers_and_generator(self):
        before = os.sched_getaffinity(0)
        for name, choice in placement.CHOICES.items():
            place = choice()
            with servers.Servers("", place) as started:
                where = [started.start([sys.executable, "-c", self.WHERE]) for _ in range(2)]
                self.assertEqual(set(where), {str(sorted(place.server or before))}, name)
                self.assertEqual(os.sched_getaffinity(0), place.generator or before, name)
            self.assertEqual(os.sched_getaffinity(0), before)
        self.assertEqual(placement.anywhere().text(), "anywhere")

    def test_halves(self):
        with mock.patch("os.sched_getaffinity", lambda _: {1, 2, 4, 7, 9}):
            self.assertEqual(placement.apart().text(),
                             "servers on processors 1,2, generator on 4,7,9")
            self.assertEqual(placement.together().server, {9})
        with mock.patch("os.sched_getaffinity", lambda _: {3}):
            self.assertIsNone(placement.apart().server)


class Started:
    """Stands for servers.Servers."""

    def __init__(self):
        self.running = []
        self._next = 0

    def stop_all(self):
        self.running = []

    def url_of(self, spec):
        self._next += 1
        self.running.append("%s-%d" % (spec.text, self._next))
        return self.running[-1]


class FleetTest(unittest.TestCase):

    def test_local_servers_are_of_one_block(self):
        started = Started()
        fleet = servers.Fleet(started, {"a": servers.Spec("redis"),
                                        "b": servers.Spec("b", url="redis://b")})
        self.assertEqual(fleet.systems, ["a", "b"])
        for number in (1, 2):
            fresh = "redis-%d" % number
            self.assertEqual(fleet.renew(), [fresh])
            self.assertEqual(fleet.urls, {"a": fresh, "b": "redis://b"})
            self.assertEqual(started.running, [fresh])

    def test_others_stay(self):
        fleet = servers.Kept({"a": "redis://a"})
        self.assertEqual((fleet.systems, fleet.renew(), fleet.urls),
                         (["a"], [], {"a": "redis://a"}))


class ComparableTest(unittest.TestCase):

    SAID = {"url": "u", "server": "redis", "version": "7", "io_threads": "1",
            "maxmemory": "no limit", "persistence": "save ''; appendonly no"}

    def known(self, *b):
        runs = [{"system": "a", "context": self.SAID}] + [
            {"system": "b", "context": {**self.SAID, **one}} for one in b]
        return comparable.Servers(runs, {"a": "redis", "b": "valkey"})

    def test_equal_ones(self):
        known = self.known({"version": "8", "server": "valkey", "io_threads": "4"})
        self.assertEqual(known.not_comparable(), [])
        self.assertEqual(known.notes(), [])
        self.assertIn(("version", {"a": "7", "b": "8"}), known.table())

    def test_other_limits(self):
        known = self.known({"maxmemory": "1gb", "persistence": "appendonly yes"})
        self.assertEqual(known.not_comparable(), [
            "maxmemory no limit against 1gb",
            "persistence save ''; appendonly no against appendonly yes"])

    def test_what_nobody_tells(self):
        known = self.known({"maxmemory": "", "persistence": "unknown"})
        self.assertEqual(known.not_comparable(), [])
        self.assertEqual(len(known.notes()), 2)
        self.assertIn("maxmemory is not known", known.notes()[0])

    def test_what_changes_on_the_way(self):
        known = self.known({}, {"version": "8"})
        self.assertIn("version of valkey changed on the way: 7, then 8", known.notes())


if __name__ == "__main__":
    unittest.main()
