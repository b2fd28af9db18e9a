"""Whether two servers may be compared at all: what they said of themselves, side by side.

Version and I/O threads may be what is compared, so a difference there is only shown. With another
memory limit or another persistence, one server does less than the other: the table says that.
"""

# Name in the context of //bench:remote, and what people call it.
FIELDS = (("server", "server"), ("version", "version"), ("io_threads", "I/O threads"),
          ("maxmemory", "maxmemory"), ("persistence", "persistence"))
MUST_BE_EQUAL = ("maxmemory", "persistence")
UNKNOWN = "unknown"


class Servers:
    """What the servers of some runs said of themselves."""

    def __init__(self, runs, names):
        """`names`: {system: what it is called}, in the order in which they are shown."""
        self.names = names
        self._said = {}  # {system: {field: [values in order of appearance]}}
        for run in runs:
            said = self._said.setdefault(run["system"], {})
            for field, value in run["context"].items():
                if value and value not in said.setdefault(field, []):
                    said[field].append(value)

    def value(self, system, field):
        return ", then ".join(self._said.get(system, {}).get(field, [])) or UNKNOWN

    def table(self):
        """[(what, {system: value})] of all fields."""
        return [(title, {system: self.value(system, field) for system in self.names})
                for field, title in FIELDS]

    def not_comparable(self):
        """Why no server may be called the faster one: ["maxmemory 0 against 1gb"]."""
        return ["%s %s" % (field, " against ".join(values))
                for field in MUST_BE_EQUAL
                for values in [[self.value(system, field) for system in self.names]]
                if UNKNOWN not in values and len(set(values)) > 1]

    def notes(self):
        found = []
        for field in MUST_BE_EQUAL:
            if any(self.value(system, field) == UNKNOWN for system in self.names):
                found.append("%s is not known of both servers (CONFIG may be forbidden): see to it "
                             "that it is equal" % field)
        for system, said in self._said.items():
            for field, title in FIELDS:
                if len(said.get(field, [])) > 1:
                    found.append("%s of %s changed on the way: %s" % (
                        title, self.names[system], self.value(system, field)))
        return found

    def as_json(self):
        # Local ones have another URL in each block.
        return {system: {"name": name,
                         **({"url": self.value(system, "url")} if "://" in name else {}),
                         **{field: self.value(system, field) for field, _ in FIELDS}}
                for system, name in self.names.items()}
