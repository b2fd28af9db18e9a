import os
import tempfile
import time
import unittest

from bench.compare import machine


class MachineTest(unittest.TestCase):

    def test_the_probe_measures_and_cleans_up(self):
        with tempfile.TemporaryDirectory() as scratch:
            self.assertGreater(machine.probe_fdatasync(scratch, count=3), 0)
            self.assertEqual(os.listdir(scratch), [])

    def test_own_work_is_not_foreign(self):
        watch = machine.Watch()
        begin = time.monotonic()
        self.assertEqual(watch.foreign_cpus(0), 0.0)  # too early to say
        while time.monotonic() - begin < 0.3:
            pass
        # Work that is accounted for as own, and more, leaves nothing to others.
        self.assertEqual(watch.foreign_cpus(1e6), 0.0)
        self.assertGreater(watch.foreign_cpus(0), 0.0)

    def test_describe(self):
        self.assertGreater(machine.describe()["cpus"], 0)


if __name__ == "__main__":
    unittest.main()
