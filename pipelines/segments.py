"""Segments: of many findings alike, the part of all pairs in which they are concentrated, if there is one.

A segment is one condition on a column of either side, or two: a value, or days from one on or up to one. It is told
only when it holds most of the findings, far more of them than of all pairs, and chance would not do that: the
probability is bounded (Chernoff) and multiplied by the number of segments that could have been told. Columns with many
values are no segments, and which columns may be shown at all is `concentrations`'.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pipelines.declarations import Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote

LEAST = 10  # findings of a segment
SHARE = 0.5  # of the findings of a case
LIFT = 1.5
SURE = 0.001  # highest probability that chance alone would show any such segment
MOST_VALUES = 50  # of a column
PER_VALUE = 5  # pairs at least, on average
OUTLIERS = 0.02  # of the days of a case
_COMBINED = 12  # best single conditions that are combined with each other
_BETTER = math.log(20)  # how much surer a second condition must make it
_AT_ONCE = 100  # counts in one query


@dataclass(frozen=True)
class Feature:
    """A column whose values may tell a segment: its side and name, and canonical SQL of its value as text."""

    side: str
    column: str
    sql: str
    is_day: bool = False

    @property
    def name(self) -> str:
        """Side and column."""
        return f"{self.side}.{self.column}"


@dataclass(frozen=True)
class Condition:
    """A column compared with a value: `=`, or of days `>=` and `<=`; without a value: missing."""

    feature: str
    operator: str
    value: str | None

    @property
    def sql(self) -> str:
        """Canonical SQL over the units."""
        if self.value is None:
            return f"{quote(self.feature)} IS NULL"
        return f"COALESCE({quote(self.feature)} {self.operator} {literal(self.value)}, FALSE)"

    def __str__(self) -> str:
        return f"{self.feature} is missing" if self.value is None else f"{self.feature} {self.operator} {self.value}"


@dataclass(frozen=True)
class Segment:
    """What was found: its conditions, how many findings of how many and pairs of how many it holds, how unlikely."""

    conditions: tuple[Condition, ...]
    inside: int
    findings: int
    pairs_inside: int
    pairs: int
    surprise: float  # nats, corrected for all segments that could have been told

    @property
    def lift(self) -> float:
        """How many times denser the findings are inside than among all pairs."""
        return (self.inside / self.findings) / (self.pairs_inside / self.pairs)

    @property
    def p_value(self) -> float:
        """The highest probability that chance alone would show any such segment."""
        return min(1.0, math.exp(-self.surprise))


def explain(
    engine: Engine,
    features: Sequence[Feature],
    hidden: Mapping[str, frozenset[str]],
    among: Mapping[str, str] | None = None,
) -> dict[str, Segment]:
    """The best segment of each case that has one.

    Needs `units` (`unit`, and each feature by name: all pairs) and `cases` (`case`, `unit`: pairs with a finding).
    `hidden` are the features that tell nothing about a case, because they are the finding itself. A case can only be
    `among` the units that fulfil its condition (canonical SQL), if it has one.
    """
    told, values = _worthwhile(engine, features, engine.number("SELECT COUNT(*) FROM units"))
    found = 'SELECT c."case", u.* FROM cases AS c JOIN units AS u ON u.unit = c.unit'
    engine.materialise("case units", found)
    sizes = {str(row["case"]): int(str(row["n"])) for row in engine.rows(_SIZES)}
    candidates: dict[str, list[_Counted]] = {case: [] for case, size in sizes.items() if size >= LEAST}
    for case, condition, inside in _singles(engine, told):
        if case in candidates and condition.feature not in hidden.get(case, frozenset()):
            candidates[case].append(((condition,), inside))
    tried, best = _Tried(values, len(candidates)), dict[str, Segment]()
    all_among = {case: (among or {}).get(case, "TRUE") for case in candidates}
    for where in sorted({*all_among.values()}):
        some = {case: counted for case, counted in candidates.items() if all_among[case] == where}
        best |= _best_among(engine, some, sizes, tried, where)
    return best


def _best_among(
    engine: Engine, candidates: Mapping[str, list[_Counted]], sizes: Mapping[str, int], tried: _Tried, where: str
) -> dict[str, Segment]:
    """The best segments of cases that are all among the same units."""
    pairs = engine.number(f"SELECT COUNT(*) FROM units WHERE {where}")
    base = _baseline(engine, "units", {c for counted in candidates.values() for c, _ in counted}, where)
    single = {case: _best(counted, sizes[case], base, pairs, tried) for case, counted in candidates.items()}
    doubles = {
        case: list(_hopeful(counted, single[case], base, pairs, tried)) for case, counted in _doubles(engine, single)
    }
    base |= _baseline(engine, "units", {c for counted in doubles.values() for c, _ in counted}, where)
    return dict(_chosen(single, {c: _best(d, sizes[c], base, pairs, tried) for c, d in doubles.items()}))


Conditions = tuple[Condition, ...]
_Counted = tuple[Conditions, int]
_SIZES = 'SELECT "case", COUNT(*) AS n FROM "case units" GROUP BY "case"'


@dataclass(frozen=True)
class _Tried:
    """How many segments could have been told: conditions that there are, and cases."""

    conditions: int
    cases: int

    def penalty(self, conditions: Conditions) -> float:
        """In nats, by how many conditions a segment has."""
        of_size = self.conditions if len(conditions) == 1 else self.conditions**2 / 2
        return math.log(max(1.0, of_size * self.cases))


def surprise(inside: int, findings: int, pairs_inside: int, pairs: int) -> float:
    """Chernoff's bound on the chance of so many findings inside: -ln p of at least `inside` of `findings`, in nats."""
    share, base = inside / findings, pairs_inside / pairs
    if share <= base:
        return 0.0
    rest = (1 - share) * math.log((1 - share) / (1 - base)) if share < 1 else 0.0
    return findings * (share * math.log(share / base) + rest)


def _worthwhile(engine: Engine, features: Sequence[Feature], pairs: int) -> tuple[list[Feature], int]:
    """The columns with few enough values, and how many conditions they make."""
    if not features:
        return [], 0
    columns = ", ".join(f"COUNT(DISTINCT {quote(f.name)}) AS {quote(f.name)}" for f in features)
    counts = {name: int(str(n)) for name, n in engine.rows(f"SELECT {columns} FROM units")[0].items()}
    told = [f for f in features if f.is_day or (counts[f.name] <= MOST_VALUES and counts[f.name] * PER_VALUE <= pairs)]
    return told, sum(counts[f.name] * (2 if f.is_day else 1) + 1 for f in told)


def _singles(engine: Engine, features: Iterable[Feature]) -> Iterator[tuple[str, Condition, int]]:
    """Of every case the conditions that hold for most of its findings, and for how many."""
    for feature in features:
        for row in engine.rows(_days(feature) if feature.is_day else _values(feature)):
            operator = str(row["operator"])
            value = None if row["value"] is None else str(row["value"])
            yield str(row["case"]), Condition(feature.name, operator, value), int(str(row["n"]))


def _values(feature: Feature) -> str:
    column = quote(feature.name)
    return f"""
        SELECT v."case", '=' AS operator, v.value, v.n
        FROM (SELECT "case", {column} AS value, COUNT(*) AS n FROM "case units" GROUP BY "case", {column}) AS v
        JOIN ({_SIZES}) AS s ON s."case" = v."case"
        WHERE v.n * 2 >= s.n AND v.n >= {LEAST}
    """


def _days(feature: Feature) -> str:
    """From the first day of the case on, and up to its last, but for outliers."""
    column, limits = quote(feature.name), {">=": OUTLIERS, "<=": 1 - OUTLIERS}
    parts = [
        f"""
        SELECT c."case", '{operator}' AS operator, d.value, COUNT(*) AS n
        FROM "case units" AS c
        JOIN (
            SELECT "case", discrete_quantile({column}, {share}) AS value FROM "case units" GROUP BY "case"
        ) AS d ON d."case" = c."case"
        WHERE c.{column} {operator} d.value
        GROUP BY c."case", d.value
        """
        for operator, share in limits.items()
    ]
    return " UNION ALL ".join(parts)


def _baseline(
    engine: Engine, relation: str, wanted: Iterable[Conditions], where: str = "TRUE"
) -> dict[Conditions, int]:
    """How many rows of a relation fulfil each of these conditions."""
    asked, counts = sorted(wanted, key=str), dict[Conditions, int]()
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        columns = [
            f"COUNT(*) FILTER (WHERE {' AND '.join(c.sql for c in conditions)}) AS n{at}"
            for at, conditions in enumerate(some)
        ]
        row = engine.rows(f"SELECT {', '.join(columns)} FROM {quote(relation)} WHERE {where}")[0]
        counts |= {conditions: int(str(row[f"n{at}"])) for at, conditions in enumerate(some)}
    return counts


def _best(
    counted: Iterable[_Counted], findings: int, base: Mapping[Conditions, int], pairs: int, tried: _Tried
) -> list[Segment]:
    """Segments that hold enough of a case, the surest first; of equals the one in the service's language."""
    found = [
        Segment(
            conditions, inside, findings, base[conditions], pairs,
            surprise(inside, findings, base[conditions], pairs) - tried.penalty(conditions),
        )
        for conditions, inside in counted
        if inside >= LEAST and inside >= SHARE * findings
    ]  # fmt: skip
    return sorted(found, key=lambda segment: (-segment.surprise, *_reading_order(segment)))


def _reading_order(segment: Segment) -> tuple[int, str]:
    of_legacy = sum(condition.feature.startswith(f"{Side.LEGACY}.") for condition in segment.conditions)
    return of_legacy, str(segment.conditions)


def _doubles(engine: Engine, single: Mapping[str, Sequence[Segment]]) -> Iterator[tuple[str, list[_Counted]]]:
    """Of every case its best conditions combined two by two, with how many findings fulfil both."""
    for case, segments in single.items():
        best = [segment.conditions[0] for segment in segments[:_COMBINED]]
        both = {(a, b) for a, b in combinations(sorted(best, key=str), 2) if a.feature != b.feature}
        counts = _baseline(engine, "case units", both, where=f'"case" = {literal(case)}')
        yield case, list(counts.items())


def _hopeful(
    counted: Iterable[_Counted], single: Sequence[Segment], base: Mapping[Conditions, int], pairs: int, tried: _Tried
) -> Iterator[_Counted]:
    """Of two conditions those that could still be told: counting them among all pairs is what costs.

    Together they hold for at least as many pairs as both have left over beyond all of them, and for those with a
    finding. Were it no more than that, they would have to be surer than one condition by enough.
    """
    for (one, other), inside in counted:
        best = single[0]  # there is one: two conditions are made of such
        needed = max(best.surprise + _BETTER, -math.log(SURE))
        if inside < max(LEAST, SHARE * best.findings):
            continue
        fewest = max(inside, base[one,] + base[other,] - pairs)
        if surprise(inside, best.findings, fewest, pairs) - tried.penalty((one, other)) > needed:
            yield (one, other), inside


def _chosen(
    single: Mapping[str, Sequence[Segment]], double: Mapping[str, Sequence[Segment]]
) -> Iterator[tuple[str, Segment]]:
    """The surest segment of each case that is sure enough; two conditions only when they say clearly more than one."""
    for case, segments in single.items():
        one, two = next(iter(segments), None), next(iter(double.get(case, ())), None)
        best = two if one and two and two.surprise > one.surprise + _BETTER else one
        if best and best.p_value <= SURE and best.lift >= LIFT:
            yield case, best
