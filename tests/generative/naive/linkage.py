"""Linkage, row by row and link by link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from pipelines.declarations import Cardinality, Entity, Side
from tests.generative.naive import sides
from tests.generative.naive.identity import Link, one_legacy, one_service
from tests.generative.naive.surroundings import Row, Surroundings
from tests.generative.naive.texts import shown

LIVELIEST = ["live", "duplicate", "deleted", "out_of_scope", "null_key"]


@dataclass(frozen=True)
class Pair:
    """Two rows that denote the same thing."""

    legacy_key: str
    service_key: str
    link_primary: bool
    compared: bool


@dataclass(frozen=True)
class Finding:
    """What could not be linked, and why."""

    legacy_key: str | None
    service_key: str | None
    side: str | None
    reason: str
    rows: int = 1
    problem: str | None = None  # of the link


@dataclass
class Linked:
    """What linking came to."""

    pairs: set[Pair] = field(default_factory=set)
    duplicates: list[tuple[Pair, Row, Row]] = field(default_factory=list)  # rows that share a key, and say the same
    findings: list[Finding] = field(default_factory=list)
    row_verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """How many pairs there are."""
        return len(self.pairs) + len(self.duplicates)


@dataclass(frozen=True)
class Judged:
    """A link that holds today, with the states of its ends (None: no row) and whether it can be used."""

    link: Link
    states: dict[Side, str | None]
    verdict: str

    def key(self, side: Side) -> str:
        return self.link.legacy_key if side is Side.LEGACY else self.link.service_key

    def is_usable(self) -> bool:
        return self.verdict == "good"


def link(
    entity: Entity,
    rows: dict[Side, Sequence[Row]],
    links: Iterable[Link],
    day: date,
    around: Surroundings,
    say_the_same: Callable[[Row, Row], bool],
) -> Linked:
    holders = {Side.LEGACY: entity.legacy, Side.SERVICE: entity.service}
    states = {side: sides.states(holders[side], rows[side], around) for side in Side}
    keys = {side: [sides.key(holders[side], row) for row in rows[side]] for side in Side}
    judged = _judged(_valid(links, day), keys, states, entity.identity.cardinality)
    done = Linked(_pairs(judged))
    paired = _pair_duplicates(entity, rows, keys, states, judged, say_the_same, done)
    done.findings += [
        Finding(j.link.legacy_key, j.link.service_key, None, j.verdict, problem=j.link.problem)
        for j in judged
        if not j.is_usable() and "live" in j.states.values()
    ]
    for side in Side:
        for number, (key, state) in enumerate(zip(keys[side], states[side], strict=True)):
            verdict = _verdict(side, key, judged, is_paired=number in paired[side]) if state == "live" else state
            verdict = "matched" if state == "duplicate" and number in paired[side] else verdict
            done.row_verdicts[side.value, verdict] += 1
            if state == "live":
                done.findings += _of_live_row(side, key, judged)
        left = [state if number not in paired[side] else "paired" for number, state in enumerate(states[side])]
        done.findings += _of_crowds(side, keys[side], left, judged)
        shown = [sides.shown_key(holders[side], row) for row in rows[side]]
        nameless = Counter(key for key, state in zip(shown, states[side], strict=True) if state == "null_key")
        done.findings += [_finding(side, key, None, "null_key", count) for key, count in nameless.items()]
    return done


def _valid(links: Iterable[Link], day: date) -> list[Link]:
    """One link per pair of keys: the surest of those that hold on the day."""
    today: dict[tuple[str, str], list[Link]] = {}
    for found in links:
        if found.holds_on(day):
            today.setdefault((found.legacy_key, found.service_key), []).append(found)
    return [
        Link(
            *keys,
            confidence=max(each.confidence for each in same),
            is_primary=any(each.is_primary for each in same),
            is_merged=all(each.is_merged for each in same),
            problem=max((each.problem for each in same if each.problem), default=None),
        )
        for keys, same in today.items()
    ]


def _judged(
    links: list[Link], keys: dict[Side, list[str | None]], states: dict[Side, list[str]], cardinality: Cardinality
) -> list[Judged]:
    return [
        Judged(
            one,
            {
                Side.LEGACY: _liveliest(one.legacy_key, keys[Side.LEGACY], states[Side.LEGACY]),
                Side.SERVICE: _liveliest(one.service_key, keys[Side.SERVICE], states[Side.SERVICE]),
            },
            _usable(one, links, cardinality),
        )
        for one in links
    ]


def _liveliest(key: str, keys: list[str | None], states: list[str]) -> str | None:
    own = [state for k, state in zip(keys, states, strict=True) if k == key]
    return min(own, key=LIVELIEST.index, default=None)


def _usable(one: Link, links: list[Link], cardinality: Cardinality) -> str:
    """Whether a link can be used, else why not.

    Several candidates at one end are a matter of choice; several certain links break a cardinality that allows one
    only. Merged keys share their survivor's counterpart by right: they neither crowd nor are crowded.
    """
    if one.problem is not None:
        return "ambiguous"
    if one.is_merged:
        return "good"
    same_legacy = [other for other in links if other.legacy_key == one.legacy_key]
    same_service = [other for other in links if other.service_key == one.service_key]
    candidates = [
        [each for each in crowd if not each.is_merged and each.confidence < 1] for crowd in (same_legacy, same_service)
    ]
    if one.confidence < 1 and any(len(crowd) > 1 for crowd in candidates):
        return "ambiguous"
    limited = [(same_legacy, one_service(cardinality)), (same_service, one_legacy(cardinality))]
    crowded = any(sum(not other.is_merged for other in crowd) > 1 for crowd, single in limited if single)
    if not crowded:
        return "good"
    certain = all(other.confidence >= 1 for other in same_legacy + same_service)
    return "cardinality_violated" if certain else "ambiguous"


def _pairs(judged: list[Judged]) -> set[Pair]:
    return {
        Pair(j.link.legacy_key, j.link.service_key, j.link.is_primary, not j.link.is_merged)
        for j in judged
        if j.is_usable() and set(j.states.values()) == {"live"}
    }


def _pair_duplicates(
    entity: Entity,
    rows: dict[Side, Sequence[Row]],
    keys: dict[Side, list[str | None]],
    states: dict[Side, list[str]],
    judged: list[Judged],
    say_the_same: Callable[[Row, Row], bool],
    done: Linked,
) -> dict[Side, set[int]]:
    """The numbers of the rows that were paired: each with the first free one of the other side that says the same."""
    paired: dict[Side, set[int]] = {side: set() for side in Side}
    for j in judged:
        if (
            not j.is_usable()
            or not set(j.states.values()) <= {"live", "duplicate"}
            or "duplicate" not in j.states.values()
        ):
            continue
        legacy, service = (
            [n for n, key in enumerate(keys[side]) if key == j.key(side) and states[side][n] in ("live", "duplicate")]
            for side in (Side.LEGACY, Side.SERVICE)
        )
        service.sort(key=lambda n: _content(entity, rows[Side.SERVICE][n]))
        pair = Pair(j.link.legacy_key, j.link.service_key, j.link.is_primary, not j.link.is_merged)
        for n in legacy:
            for m in service:
                if say_the_same(rows[Side.LEGACY][n], rows[Side.SERVICE][m]):
                    service.remove(m)
                    paired[Side.LEGACY].add(n)
                    paired[Side.SERVICE].add(m)
                    done.duplicates.append((pair, rows[Side.LEGACY][n], rows[Side.SERVICE][m]))
                    break
    return paired


def _content(entity: Entity, row: Row) -> list[tuple[bool, str]]:
    """What rows that say the same are put in order by: missing values are last."""
    return [(row[each.name] is None, shown(row[each.name]) or "") for each in entity.fields]


def _verdict(side: Side, key: str, judged: list[Judged], *, is_paired: bool) -> str:
    """What becomes of a live row."""
    own = [j for j in judged if j.key(side) == key]
    if any(not j.is_usable() for j in own):
        return "ambiguous"
    others = {j.states[side.other] for j in own}
    if "live" in others or is_paired:
        return "matched"
    return "ambiguous" if "duplicate" in others else "only"


def _of_live_row(side: Side, key: str, judged: list[Judged]) -> Iterator[Finding]:
    own = [j for j in judged if j.key(side) == key]
    if not own:
        yield _finding(side, key, None, "unmapped")
    reasons = {None: "dangling", "out_of_scope": "out_of_scope", "deleted": "counterpart_deleted"}
    for j in own:
        other = j.states[side.other]
        merged_away = side is Side.SERVICE and j.link.is_merged  # a merged legacy key may rightly be gone
        if j.is_usable() and other in reasons and not merged_away:
            yield _finding(side, key, j.key(side.other), reasons[other])


def _of_crowds(side: Side, keys: list[str | None], states: list[str], judged: list[Judged]) -> Iterator[Finding]:
    crowds = Counter(key for key, state in zip(keys, states, strict=True) if state == "duplicate")
    for key, count in crowds.items():
        counterparts = [j.key(side.other) for j in judged if j.key(side) == key]
        yield _finding(side, key, counterparts[0] if len(counterparts) == 1 else None, "duplicate_key", count)


def _finding(side: Side, own: str | None, other: str | None, reason: str, rows: int = 1) -> Finding:
    legacy, service = (own, other) if side is Side.LEGACY else (other, own)
    return Finding(legacy, service, side.value, reason, rows)
