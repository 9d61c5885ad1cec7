"""The processor: its name and its instruction sets, on Linux from /proc/cpuinfo."""

import pathlib
import platform


def cpu_name():
    """Model of the processor; the bare architecture where the system does not say."""
    return _entry("model name") or platform.processor() or platform.machine()


def cpu_flags():
    """Set of instruction sets, such as "avx2"; empty where the system does not say."""
    return set((_entry("flags") or "").split())


def _entry(key):
    """Value of the first processor's line `key : value`, or None."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None
