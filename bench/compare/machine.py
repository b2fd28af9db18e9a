"""What the machine does beside the measurement: probes of the disk, and other people's work."""

import os
import platform
import statistics
import time

# More foreign work than this, in CPUs, and the report says so.
BUSY_CPUS = 0.25


def probe_fdatasync(directory, count=100):
    """Median seconds of overwriting 4 KiB in place and syncing it."""
    path = os.path.join(directory, "probe")
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        os.pwrite(descriptor, b"\0" * 4096, 0)
        os.fsync(descriptor)
        times = []
        for i in range(count):
            begin = time.perf_counter()
            os.pwrite(descriptor, bytes([i % 256]) * 4096, 0)
            os.fdatasync(descriptor)
            times.append(time.perf_counter() - begin)
        return statistics.median(times)
    finally:
        os.close(descriptor)
        os.unlink(path)


def busy_seconds():
    """CPU seconds that the whole machine has worked since it started; None where unknown."""
    try:
        with open("/proc/stat") as file:
            fields = [int(field) for field in file.readline().split()[1:]]
    except (OSError, ValueError):
        return None
    # user nice system idle iowait irq softirq steal (guest is in user)
    working = fields[0] + fields[1] + fields[2] + sum(fields[5:8])
    return working / os.sysconf("SC_CLK_TCK")


class Watch:
    """How many CPUs others kept busy between its creation and foreign_cpus()."""

    def __init__(self):
        self._wall = time.monotonic()
        self._busy = busy_seconds()

    def foreign_cpus(self, own_seconds):
        busy = busy_seconds()
        elapsed = time.monotonic() - self._wall
        if busy is None or self._busy is None or elapsed < 0.1:
            return 0.0
        # Both clocks tick in hundredths of a second.
        return max(0.0, busy - self._busy - own_seconds) / elapsed


def busy_now(seconds=0.5):
    """How many CPUs are busy while this process only waits."""
    watch = Watch()
    time.sleep(seconds)
    return watch.foreign_cpus(0)


def describe():
    """The machine, for a report's context."""
    model = ""
    try:
        with open("/proc/cpuinfo") as file:
            model = next((line.split(":")[1].strip() for line in file if "model name" in line), "")
    except OSError:
        pass
    return {
        "cpu_model": model or platform.machine(),
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
