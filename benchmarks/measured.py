"""What a piece of work costs: processor time and clock from after the imports, and the peak memory of its process.

Imports are left out for all alike: they are paid once a process, and say nothing about data. Standard library only,
because the peers run it in their own environments.
"""

from __future__ import annotations

import gc
import json
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path


def report(work: Callable[[], int]) -> None:
    """Do it and print {found, cpu, wall, peak}: what it found, seconds, seconds, bytes."""
    gc.freeze()  # to look again through what was imported is a price of imports as well
    before, started = _cpu(), time.perf_counter()
    found = work()
    cost = {"found": found, "cpu": _cpu() - before, "wall": time.perf_counter() - started, "peak": _peak()}
    print(json.dumps(cost))
    gc.unfreeze()


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _peak() -> int:
    """Of this program alone: what the system calls a child's peak begins with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
