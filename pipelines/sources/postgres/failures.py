"""What Postgres says when something fails, in our words: what it is about, and whether trying again can help.

Its own words come through only where they cannot hold a value of a row: a message about a bad value quotes the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import adbc_driver_manager
import pyarrow as pa

from pipelines.errors import SourceError

# SQLSTATE classes and codes (appendix A of the manual), the longer prefix first.
_PASSING = ("08", "53", "57P", "40001", "40P01", "55P03", "58", "XX000")
_SAID = {
    "42501": "the role may not read it",
    "42P01": "a table its SQL names does not exist",
    "42703": "a column its SQL names does not exist",
    "57014": "the server cancelled the statement: it took longer than the declared timeout, or somebody stopped it",
    "57P": "the server was shut down or is not up yet",
    "28": "the role may not log in",
    "3D000": "there is no such database",
    "22": "its SQL cannot compute with a value of some row",
    "53": "the server has no resources left for this connection",
    "40": "the server ended the transaction in favour of others",
}
_QUOTABLE = "42"  # errors of the statement itself, which is declared and no secret
_REPORTED = "[PGRES_FATAL_ERROR]"  # the server itself said so, and did not just go away
_ENDED = re.compile("FATAL ?:|terminating|shutting down|conflict with recovery")
# Nothing but text tells failures to connect apart: they have no SQLSTATE.
_NOT_CONNECTED = (
    (re.compile("starting up|shutting down|in recovery|too many|connection slots"), "not now", True),
    (re.compile("no password supplied|authentication failed"), "wrong password or role", False),
    (re.compile("Temporary failure in name resolution"), "the name of the host cannot be looked up now", True),
    (re.compile("could not translate host name"), "unknown host", False),
    (re.compile("database .* does not exist"), "there is no such database", False),
    (re.compile("role .* does not exist"), "there is no such role", False),
    (re.compile("no pg_hba.conf entry"), "the server does not let this role in from here (pg_hba.conf)", False),
    (re.compile("Connection refused"), "nothing listens there (connection refused)", True),
    (re.compile("timeout expired|timed out"), "no answer", True),
    (re.compile("FATAL|SSL|certificate|GSS"), "the server refuses the connection", False),
)  # fmt: skip


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Within this block the driver's troubles are SourceErrors about `what`."""
    try:
        yield
    except adbc_driver_manager.Error as error:
        raise told(what, error) from None  # the driver's own error may quote values or the URL
    except (pa.ArrowException, OSError) as error:
        raise _told_midway(what, str(error)) from None


@contextmanager
def connecting(what: str) -> Iterator[None]:
    """Within this block a connection is made, to `what`."""
    try:
        yield
    except adbc_driver_manager.Error as error:
        text = str(error)
        for pattern, said, passing in _NOT_CONNECTED:
            if pattern.search(text):
                raise SourceError(f"{what}: {said}", transient=passing) from None
        raise SourceError(f"{what}: no connection", transient=True) from None


def told(what: str, error: adbc_driver_manager.Error) -> SourceError:
    """A failure of a statement, or of the connection while there is one."""
    state = error.sqlstate or ""
    if not state:
        return _told_midway(what, str(error))
    said = next((text for code, text in _SAID.items() if state.startswith(code)), "the server refuses the statement")
    words = f": {_primary(error)}" if state.startswith(_QUOTABLE) else ""
    return SourceError(f"{what}: {said} (SQLSTATE {state}{words})", transient=state.startswith(_PASSING))


def _told_midway(what: str, text: str) -> SourceError:
    """A failure behind the first rows of a large result, of which the driver tells no SQLSTATE."""
    if "statement timeout" in text or "user request" in text:
        return SourceError(f"{what}: {_SAID['57014']}")
    if _REPORTED in text and not _ENDED.search(text):
        return SourceError(f"{what}: {_SAID['22']}")
    return SourceError(f"{what}: the connection was lost", transient=True)


def _primary(error: adbc_driver_manager.Error) -> str:
    parts = dict(getattr(error, "details", None) or ())
    return str(parts.get("PG_DIAG_MESSAGE_PRIMARY", b"").decode(errors="replace"))
