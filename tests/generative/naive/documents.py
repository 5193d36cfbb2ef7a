"""What a JSON document says, apart from how it is written."""

from __future__ import annotations

import json
import re
from fractions import Fraction

from pipelines import comparators


def canonical(comparator: comparators.Document, value: object) -> object:
    """A document as nested tuples that are equal when documents say the same; a text that is none, as itself."""
    if not isinstance(value, str):
        read = _of_python(value)
    else:
        try:
            read = json.loads(
                value,
                parse_float=_number,
                parse_int=_number,
                parse_constant=lambda name: ("constant", name),
                object_pairs_hook=_members,
            )
            json.dumps(read, default=str, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, UnicodeEncodeError):
            return ("no JSON", value)
    for path in comparator.ignore:
        read = _without(read, re.findall(r"\.(\w+)|\[(\*|\d+)\]", path))
    return _settled(read)


def _number(text: str) -> tuple[str, Fraction]:
    return ("number", Fraction(text))


def _members(pairs: list[tuple[str, object]]) -> tuple[str, list[tuple[str, object]]]:
    return ("object", sorted(pairs, key=lambda pair: pair[0]))


def _of_python(value: object) -> object:
    if isinstance(value, dict):
        return ("object", sorted((name, _of_python(member)) for name, member in value.items()))
    if isinstance(value, list):
        return [_of_python(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return ("number", Fraction(value))
    return value


def _without(read: object, steps: list[tuple[str, str]]) -> object:
    (name, index), *rest = steps
    if name and isinstance(read, tuple) and read[0] == "object":
        kept = [
            (n, _without(member, rest) if n == name and rest else member) for n, member in read[1] if n != name or rest
        ]
        return ("object", kept)
    if index == "*" and isinstance(read, list):
        return [_without(item, rest) for item in read]
    if index.isdecimal() and isinstance(read, list):
        at = int(index)
        return [_without(item, rest) if n == at else item for n, item in enumerate(read) if n != at or rest]
    return read


def _settled(read: object) -> object:
    """Comparable to the last: a truth value is no number, a list no tuple of ours."""
    if isinstance(read, list):
        return ("array", tuple(_settled(item) for item in read))
    if isinstance(read, tuple) and read[0] == "object":
        return ("object", tuple((name, _settled(member)) for name, member in read[1]))
    return read if isinstance(read, tuple) else (type(read).__name__, read)
