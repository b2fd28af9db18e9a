"""Where local servers and the load generator run: on processors of their own, the same for each
server.

Left to the scheduler, equal servers were measured to differ by tens of percent on a busy machine,
probably by whether a server runs beside the process that wakes it or across from it. What lasts as
long as a server does is averaged out by no number of blocks.
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
    """All on the last processor: one waits for the other anyway where there is one connection."""
    last = {max(os.sched_getaffinity(0))}
    return Placement(last, last)


CHOICES = {"apart": apart, "together": together, "anywhere": anywhere}
