"""How to get into a server: the URL it is reached by, made from what secrets say, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pipelines.errors import SourceError

_SCHEMES = ("postgresql", "postgres")
_NETWORK = {
    "connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3",
    "application_name": "coexist",
}  # fmt: skip


@dataclass(frozen=True)
class Access:
    """How to get in: the URL (a secret), how long a statement may take and how long it may be silent, and its name."""

    url: str = field(repr=False)
    timeout: timedelta
    silence: timedelta
    name: str


def url_of(said: str, password: str | None, name: str) -> str:
    """The URL to connect to. Raises SourceError, without showing it, when it is none or could be read in two ways."""
    try:
        parts = urlsplit(said)
        understood = parts.scheme in _SCHEMES and parts.netloc.count("@") <= 1 and bool(parts.hostname)
        understood = understood and (parts.port or 1) > 0
    except ValueError:
        understood = False
    if not understood:
        raise SourceError(
            f"{name}: that is no postgresql://role:password@host:port/database; "
            "special characters of a password are written %XX"
        )
    netloc = parts.netloc
    if password is not None:
        role, _, host = netloc.rpartition("@")
        netloc = f"{role.partition(':')[0]}:{quote(password, safe='')}@{host}"
    query = urlencode(_NETWORK | dict(parse_qsl(parts.query)) | {"client_encoding": "UTF8"}, quote_via=quote)
    return parts._replace(scheme="postgresql", netloc=netloc, query=query).geturl()
