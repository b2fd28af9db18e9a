"""The proxy before servers of the test's own: every byte passes, each request waits.

    slow_proxy_test <slow_proxy>
"""

import os
import random
import socket
import socketserver
import subprocess
import sys
import threading
import time
import unittest

_PROXY = os.path.abspath(sys.argv[1])
_PING = b"*1\r\n$4\r\nPING\r\n"


class Echo(socketserver.ThreadingTCPServer):
    """Sends back what comes, until the client goes."""
    daemon_threads = True
    allow_reuse_address = True

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            while data := self.request.recv(1 << 16):
                self.request.sendall(data)

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Echo.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "redis://127.0.0.1:%d" % self.server_address[1]


class Proxy:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([_PROXY, *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def connect(self):
        made = socket.create_connection(("127.0.0.1", int(self.url.rpartition(":")[2])), 60)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def end(self):
        """What it printed after its URL, and its status."""
        if not self.process.stdout.closed:
            self.printed, self.errors = self.process.communicate(timeout=60)
        return self.printed.strip(), self.process.returncode


def receive(connection, size):
    parts = []
    while size > 0:
        part = connection.recv(min(size, 1 << 16))
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class SlowProxyTest(unittest.TestCase):

    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.server_close)
        self.addCleanup(self.echo.shutdown)

    def proxy(self, *arguments):
        made = Proxy("--upstream=" + self.echo.url, *arguments)
        self.addCleanup(made.end)
        return made

    def test_every_byte_both_ways_in_any_pieces(self):
        proxy = self.proxy()
        generator = random.Random(1)
        # Larger than every buffer on the way, so that either side has to wait for the other.
        payload = generator.randbytes(24 << 20)
        with proxy.connect() as connection:
            def send():
                at = 0
                while at < len(payload):
                    size = generator.choice((1, 100, 70_000, 1 << 20))
                    connection.sendall(payload[at:at + size])
                    at += size
            sender = threading.Thread(target=send)
            sender.start()
            received = receive(connection, len(payload))
            sender.join()
        self.assertEqual(received, payload)

    def test_requests_are_counted_over_all_connections(self):
        proxy = self.proxy()
        connections = [proxy.connect() for _ in range(20)]
        for number, connection in enumerate(connections):
            connection.sendall(_PING * (number + 1))
        for number, connection in enumerate(connections):
            self.assertEqual(receive(connection, len(_PING) * (number + 1)), _PING * (number + 1))
            connection.close()
        self.assertEqual(proxy.end(), ("210 requests", 0))

    def test_each_request_waits(self):
        delay = 0.002
        proxy = self.proxy("--delay_ns=%d" % (delay * 1e9))
        with proxy.connect() as connection:
            begin = time.monotonic()
            for _ in range(20):
                connection.sendall(_PING)
                receive(connection, len(_PING))
            # Half a request is none, and waits for nothing; its end is one.
            connection.sendall(_PING[:5])
            receive(connection, 5)
            connection.sendall(_PING[5:] + _PING * 9)
            receive(connection, 10 * len(_PING) - 5)
            took = time.monotonic() - begin
        # It cannot be less, however fast the machine is; more it may be.
        self.assertGreaterEqual(took, 30 * delay)
        self.assertEqual(proxy.end(), ("30 requests", 0))

    def test_ends_are_passed_on(self):
        proxy = self.proxy()
        with proxy.connect() as connection:
            connection.sendall(_PING)
            receive(connection, len(_PING))
            connection.shutdown(socket.SHUT_WR)
            self.assertEqual(connection.recv(1), b"")
        with proxy.connect() as another:  # it goes on with others
            another.sendall(_PING)
            self.assertEqual(receive(another, len(_PING)), _PING)
        self.assertEqual(proxy.end(), ("2 requests", 0))

    def test_an_upstream_that_refuses(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        proxy = Proxy("--upstream=redis://127.0.0.1:%d" % port)
        with proxy.connect() as connection:
            try:
                self.assertEqual(connection.recv(1), b"")
            except ConnectionResetError:
                pass
        proxy.end()
        self.assertIn("cannot connect", proxy.errors)

    def test_mistakes(self):
        for arguments in (["--upstream=nothing"], [], ["--upstream=rediss://host"],
                          ["--upstream=redis://host", "--delay_ns=-1"]):
            done = subprocess.run([_PROXY, *arguments], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertNotEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
