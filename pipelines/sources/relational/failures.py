"""What drivers say when something fails, in our words: what it is about, and whether trying again can help.

Their own words are left out: they quote values, names of hosts and of roles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, SQLAlchemyError

from pipelines.errors import SourceError


class _Meaning(NamedTuple):
    said: str
    passing: bool = False


_LOST = _Meaning("the connection was lost", passing=True)
_DENIED = _Meaning("wrong password or role")
_MYSQL = {
    1040: _Meaning("the server has no connection left", passing=True),
    1044: _Meaning("the role may not use this database"),
    1045: _DENIED,
    1049: _Meaning("there is no such database"),
    1053: _Meaning("the server is being shut down", passing=True),
    1054: _Meaning("a column its SQL names does not exist"),
    1064: _Meaning("its SQL is not understood"),
    1142: _Meaning("the role may not read it"),
    1143: _Meaning("the role may not read all its columns"),
    1146: _Meaning("a table its SQL names does not exist"),
    1158: _LOST, 1159: _LOST, 1160: _LOST, 1161: _LOST, 2006: _LOST, 2013: _LOST, 2014: _LOST, 2055: _LOST,
    1205: _Meaning("it is locked by others", passing=True),
    1213: _Meaning("it is locked by others", passing=True),
    1317: _Meaning("the statement was stopped by somebody"),
    1698: _DENIED,
    1927: _Meaning("the connection was ended by somebody", passing=True),
    1969: _Meaning("the statement took longer than the declared timeout"),
    3024: _Meaning("the statement took longer than the declared timeout"),
}  # fmt: skip
_CODE = re.compile(r"\b(?:[A-Z]{2,4}-\d{4,5}|[0-9A-Z]{5}(?=\]))")  # ORA-12154; SQLSTATE in brackets
_SQLITE = (
    ("locked", _Meaning("it is locked by others", passing=True)),
    ("no such table", _Meaning("a table its SQL names does not exist")),
    ("no such column", _Meaning("a column its SQL names does not exist")),
    ("unable to open", _Meaning("the file cannot be opened")),
    ("not a database", _Meaning("the file is no database")),
    ("malformed", _Meaning("the file is damaged")),
    ("UTF-8", _Meaning("it holds text that is no UTF-8")),
)


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Within this block the driver's troubles are SourceErrors about `what`."""
    try:
        yield
    except DBAPIError as error:
        meaning, code = _meaning(error)
        raise SourceError(f"{what}: {meaning.said}{code}", transient=meaning.passing) from None
    except (SQLAlchemyError, UnicodeDecodeError) as error:
        raise SourceError(f"{what}: {type(error).__name__}") from None


def _meaning(error: DBAPIError) -> tuple[_Meaning, str]:
    args = getattr(error.orig, "args", ())
    number, text = (args[0] if args else None), str(error.orig)
    if isinstance(number, int) and number in {2002, 2003}:
        return _unreached(text), f" ({number})"
    if isinstance(number, int) and number in _MYSQL:
        return _MYSQL[number], f" ({number})"
    for words, meaning in _SQLITE if type(error.orig).__module__ == "sqlite3" else ():
        if words in text:
            return meaning, ""
    code = _CODE.search(text)
    passing = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError | InternalError)
    said = "the connection was lost" if error.connection_invalidated else "the database refuses"
    named = number if isinstance(number, int) else code[0] if code else type(error.orig).__name__
    return _Meaning(said, passing), f" ({named})"


def _unreached(text: str) -> _Meaning:
    if "Temporary failure in name resolution" in text:
        return _Meaning("the name of the host cannot be looked up now", passing=True)
    if "Name or service not known" in text or "getaddrinfo" in text:
        return _Meaning("unknown host")
    if "refused" in text:
        return _Meaning("nothing listens there (connection refused)", passing=True)
    return _Meaning("no connection", passing=True)
