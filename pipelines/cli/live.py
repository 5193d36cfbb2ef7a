"""Servers for `coexist demo --live`: a module of the examples starts and loads them, and stops when its input ends.

It publishes events when it is told to, day by day, because a log has no days: each is read up to where it ends then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipelines.cli.screen import Screen
from pipelines.errors import SourceError

SERVERS = "data.live.insurer"
CONTEXTS = "data.live.contexts"  # the declarations of the examples, on these servers
_SECONDS = 30.0  # that servers may take to stop before they are told so once more


@dataclass(frozen=True)
class Servers:
    """The process that holds the servers."""

    process: subprocess.Popen[str]

    def publish(self, day: str) -> int:
        """Publish the events of the days up to this one; how many. Raises SourceError when nobody answers."""
        try:
            if self.process.stdin:
                self.process.stdin.write(f"{day}\n")
                self.process.stdin.flush()
        except BrokenPipeError:
            raise self.failed() from None
        return int(self.answer()["events"])

    def answer(self) -> dict[str, Any]:
        """What it says next. Raises SourceError when it has ended instead."""
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise self.failed()
        found: dict[str, Any] = json.loads(line)
        return found

    def failed(self) -> SourceError:
        """Its last words."""
        said = self.process.stderr.read().strip().splitlines() if self.process.stderr else []
        last = said[-1] if said else "it said nothing"
        return SourceError(f"the servers ended (python -m {SERVERS}, from the checkout): {last}")


@contextmanager
def live_servers(screen: Screen) -> Iterator[Servers]:
    """Servers with the insurer, which are stopped at the end, whatever happened. Raises SourceError without servers.

    They are in a session of their own: Ctrl-C reaches this process, and this process ends them.
    """
    pipe, command = subprocess.PIPE, [sys.executable, "-m", SERVERS]
    with subprocess.Popen(  # noqa: S603 (our own module)
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        servers, ended_well = Servers(process), False
        try:
            with screen.waiting("starting servers and loading the insurer into them"):
                os.environ.update(servers.answer()["environment"])
            yield servers
            ended_well = True
        finally:
            if not ended_well:
                process.terminate()
            with screen.waiting("stopping the servers"):
                _stopped(process)


def _stopped(process: subprocess.Popen[str]) -> None:
    """Let the process end: it does when its input has."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
