"""What a piece of work costs: processor time and clock from after the imports, and the peak memory of its process.

Imports are left out for all alike: they are paid once a process, and say nothing about data. Standard library only,
because the peers run it in their own environments.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable


def report(work: Callable[[], int]) -> None:
    """Do it and print {found, cpu, wall, peak}: what it found, seconds, seconds, bytes."""
    before, started = _cpu(), time.perf_counter()
    found = work()
    cost = {"found": found, "cpu": _cpu() - before, "wall": time.perf_counter() - started, "peak": _peak()}
    print(json.dumps(cost))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _peak() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
