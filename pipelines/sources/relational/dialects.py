"""What differs from one kind of database to the next, as far as exact reading needs it.

A dialect that is not here is read in an ordinary transaction. Those of Oracle, SQL Server, DB2 and Snowflake follow
their manuals; no test has met them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

_MYSQL = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    # Instants are stored as UTC and spelled in the zone of the session.
    "SET SESSION time_zone = '+00:00'",
    # We may be busy writing what came; a minute, the default, is soon over.
    "SET SESSION net_write_timeout = 3600",
)
_MYSQL_BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"


@dataclass(frozen=True)
class Dialect:
    """How a session is begun, what makes its driver give up connecting, and what says where the moment is."""

    begin: tuple[str, ...] = ()
    connect: tuple[tuple[str, Any], ...] = ()
    timeout: str = ""  # with {seconds} or {milliseconds}
    position: str = ""  # a query for names and values of the moment

    def beginning(self, timeout: timedelta) -> tuple[str, ...]:
        """The statements that begin a session; the last one begins the transaction."""
        seconds = timeout.total_seconds()
        limit = self.timeout.format(seconds=f"{seconds:g}", milliseconds=round(seconds * 1000))
        return (limit, *self.begin) if limit else self.begin


_DIALECTS = {
    "mariadb": Dialect(
        begin=(*_MYSQL, _MYSQL_BEGIN),
        connect=(("connect_timeout", 10),),
        timeout="SET SESSION max_statement_time = {seconds}",
        position="SHOW STATUS LIKE 'binlog_snapshot_%'",
    ),
    "mysql": Dialect(
        begin=(*_MYSQL, _MYSQL_BEGIN),
        connect=(("connect_timeout", 10),),
        timeout="SET SESSION max_execution_time = {milliseconds}",
    ),
    "sqlite": Dialect(begin=("PRAGMA query_only = ON", "BEGIN")),
    "oracle": Dialect(begin=("SET TRANSACTION READ ONLY",)),
    "mssql": Dialect(begin=("SET TRANSACTION ISOLATION LEVEL SNAPSHOT",)),
}


def let_go(driver: object) -> None:
    """Tell a driver's own connection that the rest of its result is not wanted.

    PyMySQL would read it whenever the result is closed or forgotten, however much it is.
    """
    result: Any = getattr(driver, "_result", None)
    if result is not None and hasattr(result, "unbuffered_active"):
        result.unbuffered_active = False


def of(name: str) -> Dialect:
    """The dialect of this name in SQLAlchemy."""
    return _DIALECTS.get(name, Dialect())
