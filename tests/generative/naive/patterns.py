"""Patterns: how wrong values are like right ones, by looking at all differences of a partition for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.declarations import Side
from tests.generative.naive import texts
from tests.generative.naive.comparators import DIFFERENT
from tests.generative.naive.comparison import Difference

MANY, SPECIFIC, PREFIX, ONE_IN = 3, 3, 4, 5
QUARTER_OF_AN_HOUR, WIDEST_ZONE = 900, 14 * 3600
NO_FACTORS = (0.0, 1.0, float("inf"), float("-inf"))
SCALES = ["10", "100", "1000", "10000", "1000000", "0.1", "0.01", "0.001", "0.0001", "0.000001", "-1"]


@dataclass(frozen=True)
class Likeness:
    """A difference with what is right and what the replica shows."""

    of: Difference
    wanted: str
    shown: str
    delta: float | None

    @property
    def pair(self) -> tuple[str, str]:
        return self.of.legacy_key, self.of.service_key


def likenesses(differences: Sequence[Difference]) -> list[Likeness]:
    found = []
    for each in differences:
        if each.verdict == DIFFERENT:
            by_legacy = each.system_of_record == Side.LEGACY
            wanted, shown = (each.expected, each.actual) if by_legacy else (each.actual, each.expected)
            delta = each.delta if by_legacy or each.delta is None else -each.delta
            found.append(Likeness(each, wanted, shown, delta))
    return found


def explain(one: Likeness, every: Sequence[Likeness], raw_totals: Mapping[str, Sequence[object]]) -> tuple | None:
    """Reason and evidence of the first pattern that a difference shows; `raw_totals` are all raw values by field."""
    same_field = [each for each in every if each.of.field == one.of.field]
    patterns = (_swapped, _shifted, _scaled, _rewritten, _cut, _offset)
    for pattern in patterns:
        found = pattern(one, every if pattern is _swapped else same_field)
        if found:
            return found
    return _mistaken(one, same_field, raw_totals[one.of.field])


def _swaps(one: Likeness, every: Sequence[Likeness]) -> str | None:
    others = [
        each.of.field
        for each in every
        if each.pair == one.pair
        and each.of.field != one.of.field
        and (each.wanted, each.shown) == (one.shown, one.wanted)
    ]
    return min(others, default=None)


def _swapped(one: Likeness, every: Sequence[Likeness]) -> tuple | None:
    other = _swaps(one, every)
    rows = sum(each.of.field == one.of.field and _swaps(each, every) == other for each in every)
    specific = len(one.wanted) >= SPECIFIC and len(one.shown) >= SPECIFIC and one.wanted not in ("true", "false")
    if other is None or not (rows >= MANY or specific):
        return None
    return "swapped_fields", {"pattern": "swapped", "swapped_with": other, "rows": rows}


def _is_of_a_zone(one: Likeness) -> bool:
    whole = one.delta is not None and one.delta % QUARTER_OF_AN_HOUR == 0
    return one.of.kind == "instant" and whole and abs(one.delta) <= WIDEST_ZONE


def _shifted(one: Likeness, every: Sequence[Likeness]) -> tuple | None:
    if not _is_of_a_zone(one):
        return None
    rows = sum(each.delta == one.delta for each in every)
    return "time_zone_shift", {"pattern": "offset", "offset_seconds": one.delta, "rows": rows}


def _offset(one: Likeness, every: Sequence[Likeness]) -> tuple | None:
    rows = sum(each.delta == one.delta for each in every)
    if one.of.kind not in ("instant", "day") or one.delta is None or _is_of_a_zone(one) or rows < MANY:
        return None
    return "systematic_pattern", {"pattern": "offset", "offset": one.delta, "rows": rows}


def _factor(one: Likeness) -> str | None:
    if one.of.kind != "number" or float(one.wanted) == 0:
        return None
    return f"{float(one.shown) / float(one.wanted):.9e}"


def _scaled(one: Likeness, every: Sequence[Likeness]) -> tuple | None:
    factor = _factor(one)
    alike = [each for each in every if _factor(each) == factor]
    scale = next((scale for scale in SCALES if f"{float(scale):.9e}" == factor), None)
    enough = len(alike) >= MANY
    if factor is None or (scale is None and float(factor) in NO_FACTORS) or "nan" in factor:
        return None
    if scale is not None and (enough or len(one.wanted) >= SPECIFIC):
        return "unit_or_scale", {"pattern": "factor", "factor": scale, "rows": len(alike)}
    if scale is None and enough and len({each.wanted for each in alike}) > 1:
        return "unit_or_scale", {"pattern": "factor", "factor": factor, "rows": len(alike)}
    return None


def _is_rewritten(one: Likeness) -> bool:
    written = [
        texts.without_leading_zeros(texts.lower(texts.alphanumeric(texts.composed(text))))
        for text in (one.wanted, one.shown)
    ]
    return one.of.kind == "text" and written[0] == written[1] and texts.alphanumeric(one.wanted) != ""


def _rewritten(one: Likeness, every: Sequence[Likeness]) -> tuple | None:
    if not _is_rewritten(one):
        return None
    return "format_only", {"pattern": "format", "rows": sum(map(_is_rewritten, every))}


def _is_cut(one: Likeness) -> bool:
    begins = one.shown != "" and len(one.shown) < len(one.wanted) and one.wanted.startswith(one.shown)
    return one.of.kind == "text" and begins


def _cut(one: Likeness, every: Sequence[Likeness]) -> tuple | None:
    rows = sum(_is_cut(each) and len(each.shown) == len(one.shown) for each in every)
    if not _is_cut(one) or not (rows >= MANY or len(one.shown) >= PREFIX):
        return None
    return "truncated", {"pattern": "truncated", "characters": len(one.shown), "rows": rows}


def _mistaken(one: Likeness, every: Sequence[Likeness], raw_values: Sequence[object]) -> tuple | None:
    def same(each: Likeness) -> bool:
        by_legacy = each.of.system_of_record == Side.LEGACY
        return by_legacy and (each.of.legacy_raw, each.shown) == (one.of.legacy_raw, one.shown)

    rows, total = sum(map(same, every)), sum(value == one.of.legacy_raw for value in raw_values)
    if not same(one) or one.of.legacy_raw is None or rows < MANY or rows * ONE_IN < total:
        return None
    return "systematic_pattern", {"pattern": "same raw value, same wrong value", "rows": rows, "of_rows": total}
