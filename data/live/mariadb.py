"""A MariaDB of our own: the programs in `MARIADB_BIN`, else of an installed one (Debian's `mariadb-server`)."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.live.servers import Absent, as_ordinary, free_port, handed_over, run

ROLE = "coexist"
# On loopback, quick, and with a time zone of its own, which must make no difference.
_SETTINGS = {
    "bind-address": "127.0.0.1", "innodb-flush-log-at-trx-commit": "0", "default-time-zone": "+03:00",
    "max-allowed-packet": "64M",
}  # fmt: skip
_SBIN = "/usr/sbin"  # where Debian puts servers
_PATIENCE = 30.0  # seconds to start


@dataclass
class Server:
    """A server with a folder, a port and a password of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_hex(12))
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "mysql", role: str = ROLE, password: str | None = None) -> str:
        """How to reach it."""
        return f"mariadb+pymysql://{role}:{password or self.password}@127.0.0.1:{self.port}/{database}?charset=utf8mb4"

    def create(self) -> None:
        """Make its files."""
        handed_over(self.folder)
        options = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        run([_program("mariadb-install-db"), "--no-defaults", f"--datadir={self._data}", *options])
        rights = f"GRANT ALL ON *.* TO '{ROLE}'@'127.0.0.1' IDENTIFIED BY '{self.password}' WITH GRANT OPTION;"
        (self.folder / "start.sql").write_text(f"{rights}\n", encoding="utf-8")

    def start(self) -> None:
        """Start, and wait until it answers. Raises RuntimeError when it does not."""
        files = {"socket": "socket", "pid-file": "pid", "log-error": "log", "init-file": "start.sql", "datadir": "data"}
        options = [f"--{option}={self.folder / name}" for option, name in files.items()]
        options += [f"--{name}={value}" for name, value in _SETTINGS.items()]
        options += [f"--port={self.port}", "--skip-name-resolve"]
        self.process = subprocess.Popen([_program("mariadbd"), "--no-defaults", *options], cwd="/", **as_ordinary())  # noqa: S603 (ours)
        until = time.monotonic() + _PATIENCE
        while not self._answers():
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError(f"mariadbd did not start; see {self.folder / 'log'}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop, as a crash would."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self) -> None:
        """Crash, and come back."""
        self.stop()
        self.start()

    def revive(self) -> None:
        """Be up and running, whatever was done to it."""
        if self.process is None:
            self.start()
        else:
            self.process.send_signal(signal.SIGCONT)

    def connect(self, database: str = "mysql") -> Any:  # noqa: ANN401 (the driver has no types)
        """A connection that commits at once."""
        import pymysql  # noqa: PLC0415 (of the group `live`)

        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=ROLE, password=self.password, database=database,
            charset="utf8mb4", autocommit=True,
        )  # fmt: skip

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _answers(self) -> bool:
        from pymysql import Error  # noqa: PLC0415 (likewise)

        try:
            self.connect().close()
        except Error:
            return False
        return True


def _program(name: str) -> str:
    """Where a program is; nothing when it is not installed."""
    path = os.environ.get("MARIADB_BIN") or os.pathsep.join((os.environ.get("PATH", ""), _SBIN))
    return shutil.which(name, path=path) or ""


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A new server in a folder, stopped at the end. Raises Absent."""
    if not all(map(_program, ("mariadbd", "mariadb-install-db"))):
        raise Absent("no MariaDB: mariadbd and mariadb-install-db are not installed (Debian: mariadb-server)")
    if importlib.util.find_spec("pymysql") is None:
        raise Absent("no MariaDB: its driver pymysql is not installed")
    server = Server(folder / "mariadb")
    server.create()
    try:
        server.start()
        yield server
    finally:
        server.stop()
