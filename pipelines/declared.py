"""How declarations are made: frozen, typed pydantic dataclasses whose mistakes can be collected instead of raised.

`@declared` goes on every class a user writes in a context file. Inside `collecting()` a wrong declaration is noted with
its file and line and left as a *broken* object, so that one load finds every mistake; outside, pydantic raises at once.
What a declaration means does not belong here.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypeVar, dataclass_transform

import pydantic
from pydantic import ConfigDict, Strict, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass

from pipelines.errors import Problem, did_you_mean

T = TypeVar("T")
Span = Annotated[timedelta, Strict()]  # a bare number would be taken for seconds, whatever its author had in mind
_PROBLEMS: ContextVar[list[Problem] | None] = ContextVar("declaration_problems", default=None)
_NOT_THE_USERS = (f"{Path(__file__).parent}{os.sep}", f"{Path(pydantic.__file__).parent}{os.sep}")


@contextmanager
def collecting() -> Iterator[list[Problem]]:
    """Within this block wrong declarations are appended to the yielded list instead of raising."""
    problems: list[Problem] = []
    token = _PROBLEMS.set(problems)
    try:
        yield problems
    finally:
        _PROBLEMS.reset(token)


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def declared(cls: type[T]) -> type[T]:
    """Make a class a declaration: frozen, validated, hashable, unknown arguments refused."""
    made = pydantic_dataclass(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))(cls)
    made.__init__ = _collecting_init(made.__init__)  # type: ignore[method-assign]
    return made  # type: ignore[return-value]


def is_broken(declaration: object) -> bool:
    """Whether this declaration, or one inside it, failed validation while collecting."""
    if isinstance(declaration, tuple | list):
        return any(map(is_broken, declaration))
    if not dataclasses.is_dataclass(declaration):
        return False
    return "_broken" in vars(declaration) or any(map(is_broken, vars(declaration).values()))


def is_unfinished(declaration: object) -> bool:
    """Whether this declaration itself failed validation while collecting: attributes may be missing or of any type."""
    return "_broken" in vars(declaration)


def place_of(declaration: object) -> str:
    """`file:line` at which a declaration made while collecting was written; empty when that is not known."""
    return str(getattr(declaration, "_place", ""))


def declared_at() -> tuple[str, int]:
    """File and line of the innermost frame outside this package: where the user wrote the declaration."""
    frame = sys._getframe(1)  # noqa: SLF001 (the only way to name the line of a declaration)
    while frame.f_back and frame.f_code.co_filename.startswith(_NOT_THE_USERS):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _collecting_init(validate: Callable[..., None]) -> Callable[..., None]:
    def __init__(self: object, *args: object, **kwargs: object) -> None:  # noqa: N807 (it becomes the class's __init__)
        problems = _PROBLEMS.get()
        try:
            validate(self, *args, **kwargs)
        except ValidationError as error:
            if problems is None:
                raise
            problems.extend(_problems(self, error, args, kwargs))
            _leave_broken(self, args, kwargs)
        if problems is not None:
            # Beside the fields, so that it takes no part in equality, in repr or in `replace`.
            vars(self)["_place"] = "{}:{}".format(*declared_at())

    return __init__


def _leave_broken(self: object, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
    vars(self).update(dict(zip(names, args, strict=False)) | kwargs | {"_broken": True})


def _problems(
    self: object, error: ValidationError, args: tuple[object, ...], kwargs: dict[str, object]
) -> list[Problem]:
    file, line = declared_at()
    names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
    title = _title(self, str(kwargs.get("name", args[0] if args and isinstance(args[0], str) else "")))
    found = []
    for detail in error.errors(include_url=False, include_input=False):
        place = ".".join(
            names[part] if isinstance(part, int) and not i else str(part) for i, part in enumerate(detail["loc"])
        )
        unknown = detail["type"] == "unexpected_keyword_argument"
        message = "unknown argument" if unknown else detail["msg"].removeprefix("Value error, ")
        hint = did_you_mean(place, names) if unknown else _HINTS.get(detail["type"], "")
        found.append(Problem(f"{file}:{line}", f"{title}.{place}" if place else title, message, hint))
    return found


def _title(self: object, name: str) -> str:
    """What is wrong, with its name, unless that may hold a password: a URL where a reference to one was wanted."""
    is_told = name and "@" not in name and not getattr(self, "is_anonymous", False)
    return f"{type(self).__name__}({name!r})" if is_told else type(self).__name__


# What is easily meant, and written otherwise, by the kind of the mistake.
_HINTS = {
    "tuple_type": "what there is one of is followed by a comma: (one,)",
    "time_delta_type": "say its unit, for instance timedelta(hours=6)",
}
