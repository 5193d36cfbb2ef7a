"""What a JSON document says, apart from how it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fractions import Fraction

from pipelines import comparators

Path = list[tuple[str, str, str]]  # steps of which one each is given: name, quoted name, index


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
    return _settled(
        _without(read, [re.findall(r'\.(\w+)|\["([^"]+)"\]|\[(\*|\d+)\]', path) for path in comparator.ignore])
    )


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


def _without(read: object, paths: list[Path]) -> object:
    """A document without what stands at any of these paths, each of them as the document is now."""
    if isinstance(read, tuple) and read[0] == "object":
        return ("object", [(name, _without(part, rest)) for name, part, rest in _left(read[1], paths)])
    if isinstance(read, list):
        return [_without(item, rest) for _, item, rest in _left(list(enumerate(read)), paths)]
    return read


def _left(parts: list[tuple[str | int, object]], paths: list[Path]) -> Iterator[tuple[str | int, object, list[Path]]]:
    """The parts that no path ends at, each with what is left of the paths that lead into it."""
    for at, part in parts:
        into = [path[1:] for path in paths if _leads(path[0], at)]
        if [] not in into:
            yield at, part, into


def _leads(step: tuple[str, str, str], at: str | int) -> bool:
    name, quoted, index = step
    if isinstance(at, str):
        return at == (name or quoted)
    return index == "*" or (index.isdecimal() and int(index) == at)


def _settled(read: object) -> object:
    """Comparable to the last: a truth value is no number, a list no tuple of ours."""
    if isinstance(read, list):
        return ("array", tuple(_settled(item) for item in read))
    if isinstance(read, tuple) and read[0] == "object":
        return ("object", tuple((name, _settled(member)) for name, member in read[1]))
    return read if isinstance(read, tuple) else (type(read).__name__, read)
