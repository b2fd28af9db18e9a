"""Tests of rivals.py and server.py: what is asked of both programs, and what they print."""

import unittest

from bench.remote_speed import remote_speed, rivals, server

_HEAD = ('"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms",'
         '"p99_latency_ms","max_latency_ms"\n')


class RivalsTest(unittest.TestCase):

    def test_reads_what_redis_benchmark_prints(self):
        found = rivals.parse_csv("WARNING: Could not fetch server CONFIG\n" + _HEAD +
                                 '"GET a:__rand_int__","1000.50","0.2","0.1","0.3","0.4","0.5",'
                                 '"0.6"\n')
        self.assertEqual(found, {"rate": 1000.5, "p50_us": 300, "p99_us": 500, "max_us": 600})

    def test_refuses_what_it_does_not_know(self):
        for text in ("", "Could not connect to Redis\n", _HEAD, _HEAD + '"GET","fast","1"\n',
                     _HEAD + '"GET","0.00","0","0","0","0","0","0"\n'):
            with self.assertRaises(rivals.RunFailed, msg=text):
                rivals.parse_csv(text)

    def test_both_send_commands_of_the_same_size(self):
        for test in ("get", "set"):
            cell = rivals.Cell(test, 16, 50, 100, 1000)
            command = cell.command()
            self.assertEqual(command[0], test.upper())
            self.assertTrue(command[1].startswith(cell.prefix))
            self.assertIn("--prefix=" + cell.prefix, cell.flags())
            if test == "set":
                self.assertIn("--value_size=%d" % len(command[2]), cell.flags())
        get, put = rivals.Cell("get", 1, 1, 1, 1), rivals.Cell("set", 1, 1, 1, 1)
        self.assertNotEqual(get.prefix, put.prefix)
        self.assertEqual(len(get.prefix), len(put.prefix))

    def test_a_rate_is_asked_for_only_where_there_is_one(self):
        self.assertFalse(any(flag.startswith("--rate") for flag in
                             rivals.Cell("set", 1, 1, 1, 1).flags()))
        self.assertIn("--rate=500", rivals.Cell("set", 1, 1, 1, 1, rate=500).flags())


class ServerTest(unittest.TestCase):

    def test_counters_of_info(self):
        info = ("# CPU\r\nused_cpu_sys:1.5\r\nused_cpu_user:2.25\r\n# Stats\r\n"
                "total_commands_processed:10\r\ntotal_reads_processed:4\r\n")
        self.assertEqual(server.counters_of(info), {"cpu": 3.75, "commands": 10, "reads": 4})


class RequestsTest(unittest.TestCase):

    def test_runs_at_every_pipeline_take_about_as_long(self):
        self.assertEqual(remote_speed.requests_of(16, 600_000), 600_000)
        self.assertEqual(remote_speed.requests_of(64, 600_000), 600_000)
        self.assertEqual(remote_speed.requests_of(1, 600_000), 37_500)
        self.assertEqual(remote_speed.requests_of(1, 200), 100)


if __name__ == "__main__":
    unittest.main()
