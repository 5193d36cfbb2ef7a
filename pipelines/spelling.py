"""Calls of primitives, written out as an engine spells them.

A spelling may name an argument several times; what that is made of would be written out as often, and what it is made
of as often again. Six normalisations of a text, one in the other, were thousands of copies of the first: more memory
than a run may take, for a single row. So a long argument is bound to a name, and evaluated once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.macros import MACROS
from pipelines.primitives import PRIMITIVES

# To bind an argument takes a tenth to a fifth of a cheap call's time: copies of a short one cost less than that.
_LONG = 1_000  # characters
_MACRO = re.compile(rf"\b({'|'.join(MACROS)})\(")  # short calls, long when the engine has written them out
_BOUND = {"duckdb": "list_transform([{argument}], lambda {name}: {call})[1]"}


def written(primitive: str, engine: str, arguments: Sequence[str]) -> str:
    """A call as the engine spells it; the arguments are in the engine's spelling already."""
    call = PRIMITIVES[primitive].spelling[engine]
    often = [call.count(f"${place}") > 1 and _is_long(argument) for place, argument in enumerate(arguments, start=1)]
    names = [f'"argument {place}"' for place in range(1, len(arguments) + 1)]
    inside = [name if bound else argument for name, argument, bound in zip(names, arguments, often, strict=True)]
    call = re.sub(r"\$(\d)", lambda place: inside[int(place[1]) - 1], call)
    for name, argument, bound in zip(names, arguments, often, strict=True):
        call = _BOUND[engine].format(argument=argument, name=name, call=call) if bound else call
    return call


def _is_long(argument: str) -> bool:
    return len(argument) > _LONG or _MACRO.search(argument) is not None
