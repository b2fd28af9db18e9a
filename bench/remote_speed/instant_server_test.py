"""instant_server, as a client sees it: instant_server_test <instant_server>"""

import os
import socket
import subprocess
import sys
import unittest

_PROGRAM = os.path.abspath(sys.argv[1])
_SECONDS = 60


def command(*arguments):
    return b"*%d\r\n" % len(arguments) + b"".join(
        b"$%d\r\n%s\r\n" % (len(one), one) for one in arguments)


class InstantServerTest(unittest.TestCase):

    def connect(self, *flags):
        process = subprocess.Popen([_PROGRAM, *flags], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        port = int(process.stdout.readline().rpartition(":")[2])
        connection = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
        self.addCleanup(connection.close)
        return connection

    def end(self, process):
        process.communicate(timeout=_SECONDS)  # ends its standard input
        self.assertEqual(process.returncode, 0)

    def read(self, connection, size):
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                break
            data += more
        return data

    def expect(self, connection, reply):
        self.assertEqual(self.read(connection, len(reply)), reply)

    def test_answers_each_command_in_order(self):
        connection = self.connect("--value_size=15")
        connection.sendall(command(b"PING") + command(b"SET", b"k", b"*1\r\n$4\r\n") +
                           command(b"GET", b"prefix:000000000123") + command(b"DEL", b"k"))
        self.expect(connection, b"+PONG\r\n+OK\r\n$15\r\n000000000123xxx\r\n+OK\r\n")

    def test_waits_for_the_rest_of_a_command(self):
        for flags in ((), ("--sleep",)):
            connection = self.connect(*flags)
            for byte in command(b"SET", b"key", b"value\r\n"):
                connection.sendall(bytes([byte]))
            connection.sendall(command(b"PING"))
            self.expect(connection, b"+OK\r\n+PONG\r\n")

    def test_short_keys_and_values(self):
        connection = self.connect("--value_size=3")
        connection.sendall(command(b"GET", b"12345") + command(b"GET", b"1") + command(b"GET"))
        self.expect(connection, b"$3\r\n345\r\n$3\r\n1xx\r\n$3\r\nxxx\r\n")

    def test_has_nothing_to_tell(self):
        connection = self.connect()
        connection.sendall(command(b"INFO"))
        self.expect(connection, b"-NOPERM ")

    def test_what_is_no_command_ends_the_connection(self):
        connection = self.connect()
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(self.read(connection, 1), b"")

    def test_serves_others_when_one_goes(self):
        first = self.connect()
        second = socket.create_connection(first.getpeername(), timeout=_SECONDS)
        self.addCleanup(second.close)
        first.close()
        second.sendall(command(b"PING"))
        self.expect(second, b"+PONG\r\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
