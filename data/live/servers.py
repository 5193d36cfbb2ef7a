"""What all our servers have in common: a free port, a folder of their own, an ordinary user to run as."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ORDINARY = "nobody"  # database servers refuse to run as root


class Absent(Exception):  # noqa: N818 (nothing went wrong: it is not installed)
    """A server that cannot be started here, and what to install."""


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def as_ordinary() -> dict[str, Any]:
    """What `subprocess` must be told to run something as an ordinary user when we are root."""
    if os.geteuid() != 0:
        return {}
    return {"user": ORDINARY, "group": pwd.getpwnam(ORDINARY).pw_gid, "extra_groups": []}


def handed_over(folder: Path) -> Path:
    """A folder that exists and belongs to whoever runs servers."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, ORDINARY)
    return folder


def run(command: Sequence[str]) -> None:
    """Run a server's own tool. Raises RuntimeError with its last words."""
    done = subprocess.run(  # noqa: S603 (binaries of the server that we start)
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        cwd="/",
        **as_ordinary(),
    )
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip().splitlines()[-3:]
        raise RuntimeError(f"{Path(command[0]).name} failed: {' / '.join(said)}")


def reachable(program: Path) -> bool:
    """Whether the user that servers run as can run a program."""
    asked = subprocess.run(["test", "-x", str(program)], check=False, **as_ordinary())  # noqa: S603, S607 (ours)
    return asked.returncode == 0
