"""Exit codes: what a script learns from a command without reading what it printed."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from pipelines.errors import CoexistError, DeclarationError
from pipelines.service_level import Verdict


class ExitCode(IntEnum):
    """The answer of a command as a number."""

    MET = 0
    BREACH = 1
    USAGE = 2  # a bad declaration, or options that make no sense (click's own code for those)
    FAILURE = 3  # a source or the lake failed: no answer, or not all of it
    BROKEN_PIPE = 141  # the reader of our output went away, as a shell reports it


def of_verdicts(verdicts: Iterable[Verdict]) -> ExitCode:
    """Whether any level is breached."""
    return ExitCode.BREACH if Verdict.BREACHED in set(verdicts) else ExitCode.MET


def of_error(error: CoexistError) -> ExitCode:
    """Whose the error is: the declarations', or the world's."""
    return ExitCode.USAGE if isinstance(error, DeclarationError) else ExitCode.FAILURE
