"""What changed in a rule from one translation version to another: which of its parts, from what to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from pipelines.rules.codes import CodeTable
from pipelines.rules.rule import Rule

Row = dict[str, object]


def changes(then: object, now: object, part: str = "") -> Iterator[Row]:
    """Every part of a rule that is not what it was: part, then, now. Rules inside rules are looked into."""
    if isinstance(then, Rule) and isinstance(now, Rule) and type(then) is type(now):
        for one in fields(then):  # type: ignore[arg-type]
            yield from changes(getattr(then, one.name), getattr(now, one.name), f"{now.label}.{one.name}")
    elif (codes_then := _codes(then)) is not None and (codes_now := _codes(now)) is not None:
        for code in sorted({*codes_then, *codes_now}, key=str):
            if codes_then.get(code) != codes_now.get(code):
                yield {"part": f"{part} {code}", "then": _said(codes_then, code), "now": _said(codes_now, code)}
    elif then != now:
        yield {"part": part or "rule", "then": _named(then), "now": _named(now)}


def _codes(part: object) -> Mapping[object, object] | None:
    """The codes of a table, in a file or not; None when it is none."""
    table: object = part.read() if isinstance(part, CodeTable) else part
    return table if isinstance(table, Mapping) else None


def _said(codes: Mapping[object, object], code: object) -> object:
    return codes.get(code, "not in the table")


def _named(part: object) -> str:
    """A rule by the kinds it is made of, anything else as it is declared."""
    return " > ".join(step.label for step in part.steps()) if isinstance(part, Rule) else str(part)
