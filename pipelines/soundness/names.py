"""Names: how they are spelled, and that each is given once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from pipelines.errors import Problem
from pipelines.soundness.spot import Spot


def badly_named(spot: Spot, name: str) -> Iterator[Problem]:
    """A name serves as asset key, folder, view and column, so it is one that all of them can spell."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)
        better = "_".join(words).lower()
        hint = f'for instance "{better}"' if better and better[0].isalpha() else ""
        yield spot.problem(f'"{name}" is not snake_case: lower-case ASCII words joined by _', hint)


def repeated(spot: Spot, what: str, names: Iterable[str]) -> Iterator[Problem]:
    """Names that occur more than once."""
    for name, count in Counter(names).items():
        if count > 1:
            yield spot.problem(f'{what} "{name}" is declared {count} times')
