"""Where local servers and the load generator run: on processors that are named, the same ones for
each server.

    together   all on one. Nobody waits for another processor to wake up, and what another program
               takes from the one it takes from server and generator alike: the least noise, also
               on a busy machine. Throughput and latency are of server and generator together, so
               a difference between servers shows in them by the server's share of the time; the
               server's processor time per request is its own. A server's further threads get
               nothing.
    apart      servers on one half, the generator on the other: throughput is the server's alone
               where it is what limits. Wants a quiet machine of more than two processors.
    anywhere   as the scheduler likes. Equal servers were measured to differ by tens of percent on
               a busy machine, probably by whether a server runs beside the process that wakes it
               or across from it; what lasts as long as a server is averaged out by no number of
               blocks.
"""

import os


class Placement:
    """While it is entered, programs that are started run on the generator's processors."""

    def __init__(self, server=None, generator=None):
        self.server = server  # sets of processors; None: anywhere
        self.generator = generator
        self._before = None

    def __enter__(self):
        self._before = os.sched_getaffinity(0)
        if self.generator:
            os.sched_setaffinity(0, self.generator)
        return self

    def __exit__(self, *_):
        os.sched_setaffinity(0, self._before)

    def take_server(self):
        """Called in the process that is to be a server, before it is one."""
        if self.server:
            os.sched_setaffinity(0, self.server)

    @property
    def is_shared(self):
        """Whether servers and generator take turns on the same processors."""
        return bool(self.server) and self.server == self.generator

    def text(self):
        if not self.server:
            return "anywhere"
        return "servers on processors %s, generator on %s" % tuple(
            ",".join(str(number) for number in sorted(one))
            for one in (self.server, self.generator))


def anywhere():
    return Placement()


def apart():
    """Servers on one half of the processors, the generator on the other; anywhere, if one."""
    processors = sorted(os.sched_getaffinity(0))
    half = len(processors) // 2
    if half == 0:
        return anywhere()
    return Placement(set(processors[:half]), set(processors[half:]))


def together():
    """All on the last processor; interrupts tend to go to the first."""
    last = {max(os.sched_getaffinity(0))}
    return Placement(last, last)


CHOICES = {"apart": apart, "together": together, "anywhere": anywhere}
