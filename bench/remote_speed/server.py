"""The servers that both generators drive, and what they count of themselves."""

import os
import socket

from bench.remote_compare import servers

_SECONDS = 10  # that a server may take to answer INFO
# Of INFO; reads and writes are calls of the system, of Redis 7 and later.
_COUNTERS = {"commands": ("total_commands_processed",), "reads": ("total_reads_processed",),
             "writes": ("total_writes_processed",), "cpu": ("used_cpu_user", "used_cpu_sys")}


class Server:
    """A URL of this machine, and counters of the server behind it where it has any."""

    def __init__(self, url, tells):
        self.url = url
        self._tells = tells

    def counters(self):
        """{name: since the server's start}; empty of one that tells nothing."""
        return counters_of(self._info()) if self._tells else {}

    def _info(self):
        host, _, port = self.url.removeprefix("redis://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=_SECONDS) as connection:
            connection.sendall(b"INFO\r\n")
            with connection.makefile("rb") as stream:
                head = stream.readline()
                if not head.startswith(b"$"):
                    raise servers.ServerError("INFO: %s" % head.decode(errors="replace").strip())
                return stream.read(int(head[1:])).decode()


def counters_of(info):
    told = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    found = {}
    for name, fields in _COUNTERS.items():
        if all(field in told for field in fields):
            found[name] = sum(float(told[field]) for field in fields)
    return found


def start(started, helper, program):
    """A local server without persistence; `started` (servers.Servers) ends it."""
    return Server(started.start([helper, "--program=" + program]), tells=True)


def start_instant(started, binary):
    return Server(started.start([os.path.abspath(binary)]), tells=False)
