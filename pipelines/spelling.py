"""Calls of primitives, written out as an engine spells them.

A spelling may name an argument several times; what that is made of would be written out as often, and what it is made
of as often again. Six normalisations of a text, one in the other, were thousands of copies of the first: more memory
than a run may take, for a single row. So a long argument is bound to a name, and evaluated once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from pipelines.macros import MACROS
from pipelines.primitives import PRIMITIVES

# To bind an argument takes a tenth to a fifth of a cheap call's time: copies of a short one cost less than that.
_LONG = 1_000  # characters
_MACRO = re.compile(rf"\b({'|'.join(MACROS)})\(")  # short calls, long when the engine has written them out


def written(primitive: str, engine: str, arguments: Sequence[str]) -> str:
    """A call as the engine spells it; the arguments are in the engine's spelling already."""
    spelling = PRIMITIVES[primitive].spelling[engine]
    named = {f"${place}": argument for place, argument in enumerate(arguments, start=1)}
    long = {name: argument for name, argument in named.items() if spelling.count(name) > 1 and _is_long(argument)}
    if long:
        return _BINDINGS[engine](spelling, named, long)
    return _inserted(spelling, named)


def _is_long(argument: str) -> bool:
    return len(argument) > _LONG or _MACRO.search(argument) is not None


def _inserted(spelling: str, named: Mapping[str, str]) -> str:
    return re.sub(r"\$\d", lambda place: named[place[0]], spelling)


def _bound_by_duckdb(spelling: str, named: Mapping[str, str], long: Mapping[str, str]) -> str:
    """All long ones in one struct: a subquery may be an item of a list, but not stand in the body of a lambda."""
    bound = "bound"
    while any(bound in argument for argument in named.values()):  # it must hide no column
        bound += "_"
    members = ", ".join(f"'{name}': {argument}" for name, argument in long.items())
    call = _inserted(spelling, {**named, **{name: f'{bound}."{name}"' for name in long}})
    return f"list_transform([{{{members}}}], lambda {bound}: {call})[1]"


_BINDINGS: Mapping[str, Callable[[str, Mapping[str, str], Mapping[str, str]], str]] = {"duckdb": _bound_by_duckdb}
