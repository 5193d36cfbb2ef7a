"""Texts as the oracle knows them: how a value is written, and each normalisation spelled out character by character."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

# Unicode's property White_Space, in full.
WHITE_SPACE = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def shown(value: object) -> str | None:
    """A value as text; decimals keep the scale they come with."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _instant(value.astimezone(UTC)) + "+00" if value.tzinfo else _instant(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _clock(value)
    if isinstance(value, bytes):
        return "".join(
            chr(byte) if 32 <= byte < 127 and chr(byte) not in "\\'\"" else f"\\x{byte:02X}" for byte in value
        )
    if isinstance(value, list):
        return f"[{', '.join(_part(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"'{name}': {_part(item)}" for name, item in value.items()) + "}"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _part(value: object) -> str:
    """A part of a list or struct; texts among them would need quotes."""
    return "NULL" if value is None else str(shown(value))


def _clock(span: timedelta) -> str:
    seconds, microseconds = divmod(abs(span) // timedelta(microseconds=1), 1_000_000)
    fraction = f".{microseconds:06}".rstrip("0") if microseconds else ""
    sign = "-" if span < timedelta(0) else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def _instant(moment: datetime) -> str:
    text = moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    return text.rstrip("0").rstrip(".") if moment.microsecond else text[:-7]


def trimmed(text: str) -> str:
    while text and text[0] in WHITE_SPACE:
        text = text[1:]
    while text and text[-1] in WHITE_SPACE:
        text = text[:-1]
    return text


def squeezed(text: str) -> str:
    """Each run of white space as one blank."""
    done = ""
    for character in text:
        if character not in WHITE_SPACE:
            done += character
        elif not done.endswith(" "):
            done += " "
    return done


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def without_accents(text: str) -> str:
    taken_apart = unicodedata.normalize("NFD", text)
    return composed("".join(c for c in taken_apart if not unicodedata.category(c).startswith("M")))


def alphanumeric(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c)[0] in "LN")


def without_leading_zeros(text: str) -> str:
    while len(text) > 1 and text[0] == "0":
        text = text[1:]
    return text


def lower(text: str) -> str:
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def folded(text: str) -> str:
    """The same for texts that differ in case only, character by character: by what Python folds, and one by one."""
    return "".join(c.casefold() if len(c.casefold()) == 1 else lower(c) for c in text)


def upper(text: str) -> str:
    return "".join("ẞ" if c == "ß" else c.upper() if len(c.upper()) == 1 else c for c in text)


def key_of(parts: list[object], may_miss: list[bool] | None = None) -> str | None:
    """Parts of a key as one text; None when a part is missing that may not be."""
    allowed = may_miss or [False] * len(parts)
    texts = [_escaped(shown(part), missing=may) for part, may in zip(parts, allowed, strict=True)]
    return None if None in texts else "|".join(str(text) for text in texts)


def shown_key(parts: list[object]) -> str | None:
    """As people read a key that may have missing parts."""
    return key_of(parts, [True] * len(parts))


def _escaped(text: str | None, *, missing: bool) -> str | None:
    if text is None:
        return "\\N" if missing else None
    return "".join("\\" + c if c in "\\|" else c for c in text)
