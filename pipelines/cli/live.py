"""Servers for `coexist demo --live`: a module of the examples starts and loads them, and stops when its input ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.cli.screen import Screen
from pipelines.errors import SourceError

SERVERS = "data.live.insurer"
CONTEXTS = "data.live.contexts"  # the declarations of the examples, on these servers


@contextmanager
def live_servers(screen: Screen) -> Iterator[str]:
    """The package of contexts on live servers, which are stopped at the end. Raises SourceError without servers."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-m", SERVERS], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:  # noqa: S603 (our own module)
        try:
            with screen.waiting("starting servers and loading the insurer into them"):
                os.environ.update(_environment(process))
            yield CONTEXTS
        finally:
            if process.stdin:
                process.stdin.close()


def _environment(process: subprocess.Popen[str]) -> dict[str, str]:
    """What leads to the servers, when they are ready."""
    line = process.stdout.readline() if process.stdout else ""
    if line:
        found: dict[str, str] = json.loads(line)["environment"]
        return found
    said = process.stderr.read().strip().splitlines() if process.stderr else []
    last = said[-1] if said else "it said nothing"
    raise SourceError(f"the servers could not be started (python -m {SERVERS}, from the checkout): {last}")
