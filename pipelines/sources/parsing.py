"""Texts as values of types that have no spelling everybody agrees on: durations, times of day, bytes, lists, structs.

Each parser gives the value, or None for a text that is no such value. How whole columns are read is `text`'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import time, timedelta
from typing import Any

import pyarrow as pa

Parser = Callable[[str, pa.DataType], Any]

_INTEGER = re.compile(r"(?P<sign>[+-]?)0*(?P<digits>[0-9]+)")
_WIDEST = 1 << 127
_LONGEST = len(str(_WIDEST))
_LONGEST_SPAN = (1 << 63) - 1  # microseconds
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?")
_CLOCK = re.compile(
    # Nobody knows whether the sign of days is that of the hours behind them: databases do not agree.
    r"((?P<days>[0-9]{1,9}) days? |(?P<sign>-?))(?P<hours>[0-9]{1,9}):(?P<minutes>[0-5][0-9]):"
    r"(?P<seconds>[0-5][0-9](\.[0-9]{1,6}0*)?)"
)
_ISO = re.compile(
    r"(?P<sign>-?)P(?=.)((?P<days>[0-9]{1,9})D)?(T(?=.)((?P<hours>[0-9]{1,9})H)?((?P<minutes>[0-9]{1,9})M)?"
    r"((?P<seconds>[0-9]{1,9}(\.[0-9]{1,6}0*)?)S)?)?"
)
_ALL_NEGATIVE = re.compile(r"P(-[0-9]+D)?(T(-[0-9]+H)?(-[0-9]+M)?(-[0-9.]+S)?)?")  # as Postgres writes PT-3H
_HEX = re.compile(r"(\\x|0x)?(?P<digits>([0-9A-Fa-f]{2})*)")


def int128(text: str, _: pa.DataType) -> str | None:
    """An integer of 128 bits, as its digits."""
    found = _INTEGER.fullmatch(text)
    if not found or len(found["digits"]) > _LONGEST:
        return None
    value = int(found["sign"] + found["digits"])
    return str(value) if -_WIDEST <= value < _WIDEST else None


def time_of_day(text: str, _: pa.DataType) -> time | None:
    """`09:30`, `09:30:15` or `09:30:15.25`."""
    if not _TIME.fullmatch(text):
        return None
    clock, _, fraction = text.partition(".")
    try:
        return time.fromisoformat(clock).replace(microsecond=int(fraction.rstrip("0").ljust(6, "0")))
    except ValueError:
        return None


def duration(text: str, _: pa.DataType) -> timedelta | None:
    """`26:30:00`, `1 day 02:30:00` or, as ISO 8601 has it, `P1DT2H30M`; `-P1DT2H` is `P-1DT-2H`."""
    if _ALL_NEGATIVE.fullmatch(text) and "-" in text:
        text = "-" + text.replace("-", "")
    found = _CLOCK.fullmatch(text) or _ISO.fullmatch(text)
    if not found:
        return None
    whole, _, fraction = (found["seconds"] or "0").partition(".")
    days, hours, minutes = (int(found[part] or 0) for part in ("days", "hours", "minutes"))
    seconds = ((days * 24 + hours) * 60 + minutes) * 60 + int(whole)
    microseconds = seconds * 1_000_000 + int(fraction.rstrip("0").ljust(6, "0"))
    if microseconds > _LONGEST_SPAN:
        return None
    return timedelta(microseconds=-microseconds if found["sign"] else microseconds)


def binary(text: str, _: pa.DataType) -> bytes | None:
    r"""Pairs of hexadecimal digits, behind `\x` or `0x` if need be."""
    found = _HEX.fullmatch(text)
    return bytes.fromhex(found["digits"]) if found else None


def nested(parsers: Callable[[pa.DataType], Parser]) -> Parser:
    """A parser of lists and structs, which are JSON; what stands in them is read as it would be by itself."""

    def parse(text: str, kind: pa.DataType) -> object | None:
        try:
            document = json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_members)
            return _value(document, kind, parsers)
        except (ValueError, RecursionError):
            return None

    return parse


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object. Raises ValueError when one is there twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member that is there twice")
    return members


def _value(document: object, kind: pa.DataType, parsers: Callable[[pa.DataType], Parser]) -> object:
    """A part of a document as a value of this type. Raises ValueError when it is none."""
    if document is None:
        return None
    if pa.types.is_list(kind) and isinstance(document, list):
        return [_value(item, kind.value_type, parsers) for item in document]
    if pa.types.is_struct(kind) and isinstance(document, Mapping):
        names = {part.name for part in kind}
        if document.keys() - names:
            raise ValueError("a member that the struct does not have")
        return {part.name: _value(document.get(part.name), part.type, parsers) for part in kind}
    text = ("false", "true")[document] if isinstance(document, bool) else document
    if pa.types.is_string(kind) and isinstance(text, str):
        text.encode()  # raises for half a character
        return text
    value = parsers(kind)(text, kind) if isinstance(text, str) else None
    if value is None:
        raise ValueError("no such value")
    return value
