"""What all our servers have in common: a free port, a folder of their own, an ordinary user to run as."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

ORDINARY = "nobody"  # database servers refuse to run as root


class Absent(Exception):  # noqa: N818 (nothing went wrong: it is not installed)
    """A server that cannot be started here, and what to install."""


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def as_ordinary(command: Sequence[str]) -> list[str]:
    """The command, to be run by an ordinary user when we are root."""
    return ["runuser", "-u", ORDINARY, "--", *command] if os.geteuid() == 0 else list(command)


def handed_over(folder: Path) -> Path:
    """A folder that exists and belongs to whoever runs servers."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, ORDINARY)
    return folder


def run(command: Sequence[str]) -> None:
    """Run a server's own tool. Raises RuntimeError with its last words."""
    done = subprocess.run(  # noqa: S603 (binaries of the server that we start)
        as_ordinary(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip().splitlines()[-3:]
        raise RuntimeError(f"{Path(command[0]).name} failed: {' / '.join(said)}")


def reachable(program: Path) -> bool:
    """Whether the user that servers run as can run a program."""
    return subprocess.run(as_ordinary(["test", "-x", str(program)]), check=False).returncode == 0  # noqa: S603 (ours)
