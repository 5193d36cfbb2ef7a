"""Sameness: how two sides' columns are held against each other so that nothing is called the same that is not.

From the engine's types of both columns. Values of other types are not certain to be the same, whatever they say.
"""

from __future__ import annotations

import re

_INTEGER = re.compile(r"U?(TINY|SMALL|BIG)?INT(EGER)?|HUGEINT")
_DECIMAL = re.compile(r"DECIMAL\(\d+,(\d+)\)")
_PLAIN = frozenset({"BOOLEAN", "VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"})
_KEPT = re.compile(r"BOOLEAN|VARCHAR|DATE|DOUBLE|FLOAT|DECIMAL\(.*\)|TIMESTAMP.*|U?(TINY|SMALL|BIG)INT|U?INTEGER")
_FLOATS = frozenset({"DOUBLE", "FLOAT"})


def is_one_kind(legacy: str, service: str) -> bool:
    """Whether values of these types that are equal are the same and have the same text, and others have other texts."""
    if _INTEGER.fullmatch(legacy) and _INTEGER.fullmatch(service):
        return True
    scales = [_DECIMAL.fullmatch(kind) for kind in (legacy, service)]
    if all(scales):
        return len({scale[1] for scale in scales if scale}) == 1
    return legacy == service and legacy in _PLAIN


def is_kept(kind: str) -> bool:
    """Whether values of a type come through Arrow as they are."""
    return _KEPT.fullmatch(kind) is not None


def are_same(expected: str, actual: str, legacy: str, service: str) -> str:
    """Canonical condition, never NULL: both values are missing, or they are the same to the last bit."""
    missing = f"({expected} IS NULL AND {actual} IS NULL)"
    if legacy == service and legacy in _FLOATS:
        return f"COALESCE(same_float({expected}, {actual}), {missing})"
    if is_one_kind(legacy, service):
        return f"{expected} IS NOT DISTINCT FROM {actual}"
    if legacy == service:
        return f"text_of({expected}) IS NOT DISTINCT FROM text_of({actual})"
    return missing
