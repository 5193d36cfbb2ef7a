"""Settings: what may be set in the environment, read as what it must be, or refused by name.

Only how a setting is read stands here; what it means is said where it is used. A setting that is empty is not set.
"""

from __future__ import annotations

import difflib
import os
import re
from enum import StrEnum
from typing import TypeVar

from pipelines.errors import DeclarationError, Problem, did_you_mean

PREFIX = "COEXIST_"
KNOWN = (
    "CONTEXTS", "DAGSTER_URL", "LAKE", "MEMORY_LIMIT", "MIRROR", "SIEVE", "SIEVE_FROM", "THREADS", "VERIFY",
)  # fmt: skip
_ALIKE = 0.8  # of one, from where on another name is a misspelt one: others may have names of their own
C = TypeVar("C", bound=StrEnum)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B", re.IGNORECASE)
_UNITS = " KMGT"  # each a thousand of the one before, or 1024 of it with an i


def misspelt() -> list[Problem]:
    """Variables of the environment that nothing reads, and that are called almost like one that something does."""
    names = [name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX)]
    meant = {name: difflib.get_close_matches(name, KNOWN, n=1, cutoff=_ALIKE) for name in names if name not in KNOWN}
    return [
        Problem("environment", PREFIX + name, "no such setting", f'did you mean "{PREFIX}{near}"?')
        for name, nears in sorted(meant.items())
        for near in nears
    ]


def whole_number(name: str, otherwise: int) -> int:
    """A whole number that is not negative. Raises DeclarationError for anything else."""
    said = os.environ.get(name, "").strip()
    if said and not said.isdecimal():
        raise _refused(name, said, "a whole number is wanted")
    return int(said) if said else otherwise


def size(name: str, otherwise: str) -> int:
    """A number of bytes, said with its unit, such as `4GB`. Raises DeclarationError for anything else."""
    said = os.environ.get(name, "").strip() or otherwise
    read = _SIZE.fullmatch(said)
    if not read:
        raise _refused(name, said, "a number and a unit are wanted, such as 8GB", "units: B, KB, MB, GB, TB, KiB, ...")
    number, unit, binary = read.groups()
    return int(float(number) * (1024 if binary else 1000) ** _UNITS.index(unit.upper() or " "))


def choice(name: str, among: type[C]) -> C | None:
    """One of the values of an enumeration, None when it is not set. Raises DeclarationError for anything else."""
    said = os.environ.get(name, "").strip()
    values = [one.value for one in among]
    if said and said not in values:
        raise _refused(name, said, f"one of {', '.join(values)} is wanted", did_you_mean(said, values))
    return among(said) if said else None


def _refused(name: str, said: str, wanted: str, suggestion: str = "") -> DeclarationError:
    return DeclarationError([Problem("environment", name, f'"{said}": {wanted}', suggestion)])
