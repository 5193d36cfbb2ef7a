"""Comparing values that have parts: lists, structs, JSON documents."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY
from enum import StrEnum

from pipelines.comparators.comparator import Comparator
from pipelines.declared import declared
from pipelines.expressions import literal

_STEP = re.compile(r"""\.(?P<name>\w+)|\["(?P<quoted>[^"\\]+)"\]|\[(?P<index>\d+)\]|\[(?P<every>\*)\]""")


class Order(StrEnum):
    """What of a list counts besides its items."""

    ORDERED = "ordered"  # their order and how often each occurs
    BAG = "bag"  # how often each occurs
    SET = "set"  # neither


@declared
class Items(Comparator):
    """Lists of values of one type. Missing items are items; NaN is NaN.

    `order`: `Order.ORDERED`, `Order.BAG` (order does not matter) or `Order.SET` (nor does how often an item occurs).
    """

    order: Order

    def accepts(self, kind: str) -> bool:
        return kind.endswith("[]") and not kind.startswith("STRUCT")

    def canonical(self, value: str) -> str:
        wrapped = {Order.ORDERED: "{}", Order.BAG: "sorted_items({})", Order.SET: "distinct_items({})"}
        return wrapped[self.order].format(value)

    def equal(self, expected: str, actual: str) -> str:
        return f"exact_equal({self.canonical(expected)}, {self.canonical(actual)})"

    def signature(self, value: str) -> str:
        return f"json_canonical(json_document({self.canonical(value)}))"


@declared
class Document(Comparator):
    """Structs, lists of structs, and texts that hold JSON: equal when they say the same, however it is written.

    Neither white space, the order of members nor the spelling of numbers and strings matters; numbers are compared as
    decimals. A text that is no JSON is equal to itself only. `ignore`: paths that do not matter, such as
    `$.meta.changed_at`, `$["odd name"]`, `$.lines[0]` or `$.lines[*].id` (one `[*]`, for every item of an array).
    """

    _: KW_ONLY
    ignore: tuple[str, ...] = ()

    def accepts(self, kind: str) -> bool:
        return kind in {"VARCHAR", "JSON"} or kind.startswith("STRUCT") or kind.endswith("[]")

    def canonical(self, value: str) -> str:
        sql = f"json_canonical(json_document({value}))"
        # What is taken out of an array moves the items behind it: the hindmost goes first, and before it what is in it.
        for every, one in dict.fromkeys(map(_split, sorted(self.ignore, key=_depth_and_place, reverse=True))):
            sql = (
                f"json_without({sql}, {literal(every)})"
                if one is None
                else f"json_without_each({sql}, {literal(every)}, {literal(one)})"
            )
        return sql

    def signature(self, value: str) -> str:
        return self.canonical(value)

    def problems(self) -> list[str]:
        return [problem for path in self.ignore for problem in _path_problems(path)]


def _path_problems(path: str) -> list[str]:
    steps = _steps(path)
    if not steps:
        return [f'"{path}" is no path such as $.meta.changed_at or $.lines[*].id']
    if sum(bool(step["every"]) for step in steps) > 1:
        return [f'"{path}": one [*] in a path']
    if steps[-1]["every"]:
        return [f'"{path}" ends in [*]: name what of every item does not matter']
    return []


def _steps(path: str) -> list[re.Match[str]]:
    """The steps of a path; none when it is not one."""
    found = list(_STEP.finditer(path, 1))
    return found if path.startswith("$") and "".join(step[0] for step in found) == path[1:] else []


def _depth_and_place(path: str) -> tuple[int, int]:
    """How many steps a path has, and which item of its array it ends in."""
    steps = _steps(path)
    return len(steps), int(steps[-1]["index"] or 0)


def _split(path: str) -> tuple[str, str | None]:
    """A path in the engine's words; one with `[*]` as the path of the array and the path within each of its items."""
    parts, within = ["$"], None
    for step in _steps(path):
        if step["every"]:
            within, parts = "".join(parts), ["$"]
        else:
            name = step["name"] or step["quoted"]
            # `json_canonical` marks every string, names too.
            parts.append(f'."${name}"' if name else f"[{int(step['index'])}]")
    return ("".join(parts), None) if within is None else (within, "".join(parts))
