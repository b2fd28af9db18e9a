"""Servers under comparison: those of a URL, and local ones that are started here.

    redis://host:port, rediss://, unix://, redis+cluster://    a server that runs
    redis, valkey                                              redis-server or valkey-server of PATH
    redis:path/to/redis-server                                 another build of it
    env:NAME                                                   what that variable has: one of these

Each local one stands behind a child process (local_server.cc) that ends it with its own standard
input; so none outlives this program, however it ends.
"""

import os
import shutil
import subprocess

from bench.compare import cli, systems

_ENVIRONMENT = "env:"
PROGRAMS = {"redis": "redis-server", "valkey": "valkey-server"}


class ServerError(Exception):
    """A local server, or what stands before it, could not be started."""


def redacted(url):
    """The URL with *** for the password, as //bench:remote writes it too."""
    scheme, separator, rest = url.partition("://")
    end = min((rest.index(mark) for mark in "/?#" if mark in rest), default=len(rest))
    if end > 0 and "@" not in rest[:end]:
        end = len(rest)  # perhaps a password that breaks the URL; it is not shown for all that
    credentials, at, host = rest[:end].rpartition("@")
    if not at:
        return url
    user, colon, _ = credentials.partition(":")
    return scheme + separator + user + (":***" if colon else "") + at + host + rest[end:]


class Spec:
    """What --a or --b names. `text` has no password."""

    def __init__(self, text, url="", program=""):
        self.text = text
        self.url = url
        self.program = program

    @property
    def is_local(self):
        return not self.url


def parse(text):
    if text.startswith(_ENVIRONMENT):
        name = text.removeprefix(_ENVIRONMENT)
        if name not in os.environ:
            raise systems.UsageError("the environment has no variable %s" % name)
        text = os.environ[name]
    if "://" in text:
        return Spec(redacted(text), url=text)
    name, colon, path = text.partition(":")
    if name not in PROGRAMS:
        raise systems.UsageError("%s is neither a URL nor one of %s" % (
            redacted(text), ", ".join(PROGRAMS)))
    if not colon:
        if not shutil.which(PROGRAMS[name]):
            raise systems.UsageError("%s is not installed: run bazelw, or give a path: %s:PATH" % (
                PROGRAMS[name], name))
        return Spec(text, program=shutil.which(PROGRAMS[name]))
    path = os.path.abspath(cli.from_caller(path))
    if not os.access(path, os.X_OK) or os.path.isdir(path):
        raise systems.UsageError("%s is not a program" % path)
    return Spec(text, program=path)


def chosen(a, b, say):
    """The two servers of --a and --b, or those that stand for them where neither is given."""
    if bool(a) != bool(b):
        raise systems.UsageError("give both --a and --b, or neither for local servers")
    if a:
        return parse(a), parse(b)
    if shutil.which(PROGRAMS["valkey"]):
        say("local redis-server against local valkey-server")
        return parse("redis"), parse("valkey")
    say("valkey-server is not installed: local redis-server against a second one like it, between "
        "which there is no difference to be found")
    return parse("redis"), parse("redis")


class Child:
    """A program that prints its URL on one line, serves, and ends with its standard input."""

    def __init__(self, command, prepare=None):
        """`prepare` is called in the new process, before it is the program."""
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True, preexec_fn=prepare)
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            _, error = self._process.communicate()
            raise ServerError("%s: %s" % (os.path.basename(command[0]), error.strip() or
                                          "ended with status %d" % self._process.returncode))

    def stop(self):
        """Ends it; returns what it printed after its URL."""
        text, _ = self._process.communicate()
        return text


class Servers:
    """The children of one comparison; all of them end with the `with` block."""

    def __init__(self, helper, place):
        self._helper = helper  # the binary of local_server.cc
        self._place = place  # placement.Placement
        self._children = []

    def __enter__(self):
        self._place.__enter__()
        return self

    def __exit__(self, *_):
        self._place.__exit__()
        self.stop_all()

    def stop_all(self):
        # Those that were started last lead to those before them.
        while self._children:
            self._children.pop().stop()

    def url_of(self, spec):
        """Where the server of a Spec is; a local one is started, each time another."""
        if not spec.is_local:
            return spec.url
        return self.start([self._helper, "--program=" + spec.program])

    def start(self, command):
        child = Child(command, self._place.take_server)
        self._children.append(child)
        return child.url


class Fleet:
    """The servers of a comparison. Local ones are started anew for each block.

    Two processes of one program were measured to differ by 1 to 2 percent for as long as they live,
    perhaps by where their memory lies. In a comparison of two processes that is a difference
    between the servers, which more blocks only make more certain; with processes of their own,
    blocks differ by it, and chance decides whom it favours.
    """

    def __init__(self, started, specs):
        self._started = started  # Servers, which starts no others
        self._specs = specs
        self.urls = {system: spec.url for system, spec in specs.items() if not spec.is_local}

    @property
    def systems(self):
        return list(self._specs)

    def renew(self):
        """For the next block; the URLs of those servers that were started, which hold no data."""
        self._started.stop_all()
        fresh = {system: self._started.url_of(spec) for system, spec in self._specs.items()
                 if spec.is_local}
        self.urls.update(fresh)
        return list(fresh.values())


class Kept:
    """Servers that stay up for the whole comparison."""

    def __init__(self, urls):
        self.urls = urls  # {system: URL}

    @property
    def systems(self):
        return list(self.urls)

    def renew(self):
        return []
