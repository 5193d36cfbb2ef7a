"""Everything Coexist raises on purpose. Bad *data* is never raised: it becomes rows with a reason.

    CoexistError
    ├── DeclarationError   what the user declared is wrong; all problems at once, raised when loaded
    ├── SourceError        a source cannot be read as declared; the run fails, nothing is written
    └── IntegrityError     Coexist cannot vouch for its own result (unbalanced rows, unwritable lake)

Add an exception only when a caller must react to it differently.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SHOWN = 12  # valid names listed at most, so that a message stays readable


class CoexistError(Exception):
    """Root of the tree; never raised itself."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a declaration: where (file, path inside it), what, and the nearest valid choice."""

    file: str
    path: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.file}: {self.path}: {self.message}{hint}"


class DeclarationError(CoexistError):
    """One or more declarations are wrong. `problems` holds all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{count} declaration problem{'s' if count != 1 else ''}:\n" + "\n".join(map(str, problems)))


class SourceError(CoexistError):
    """A source cannot be read as declared. `transient` says whether trying again can help."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        self.transient = transient
        super().__init__(message)


class IntegrityError(CoexistError):
    """A result that cannot be vouched for: rows do not balance, the lake cannot be written, files were changed."""


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """`did you mean "bank_name"?` for the nearest valid name, else the list of them (shortened), else nothing."""
    choices = sorted(set(valid))
    near = nearest(name, choices)
    if near is not None:
        return f'did you mean "{near}"?'
    if not choices:
        return ""
    shown = ", ".join(choices[:_SHOWN])
    return f"valid: {shown}" + (", ..." if len(choices) > _SHOWN else "")


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name that was most likely meant, if any is near enough."""
    by_folded = {choice.casefold(): choice for choice in sorted(set(valid))}
    near = difflib.get_close_matches(name.casefold(), list(by_folded), n=1, cutoff=0.6)
    near = near or [folded for folded in by_folded if name and folded.startswith(name.casefold())]
    return by_folded[near[0]] if near else None
