"""Victims: pairs of a copy that are in order, chosen by chance, with everything that damaging them needs to know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines import comparison, plan, tombstones, translation
from pipelines.audit import scratch
from pipelines.audit.figures import Finding
from pipelines.comparison import Verdict
from pipelines.declarations import Side
from pipelines.engine import Engine
from pipelines.expressions import quote
from pipelines.job import Job
from pipelines.rows import live, row_key

Row = dict[str, object]


@dataclass(frozen=True)
class Victim:
    """A pair in order. `values` by field in the service's language; `past` likewise, by side and partition.

    `settled` are the fields that were compared, are equal and there, and of which legacy is right.
    """

    legacy_key: str
    service_key: str
    raw: dict[Side, Row]
    values: Row
    settled: frozenset[str]
    past: dict[tuple[Side, str], Row] = field(default_factory=dict)

    def key(self, side: Side) -> str:
        """The key of its row on a side."""
        return self.legacy_key if side is Side.LEGACY else self.service_key


def choose(session: Engine, job: Job, found: Iterable[Finding], *, seed: int, most: int) -> list[Victim]:
    """Pairs of one row each that are compared, and of which nothing was found; the same for the same seed."""
    suspicious = {key for finding in found for key in finding[:2]} | _told_of(session, job)
    plan.link_and_translate(session, job)
    comparison.compare(session, job.entity)
    session.materialise("chosen pairs", _chosen(seed, most + 4 * len(suspicious)))
    raw = {side: _raw(session, job, side) for side in Side}
    chosen = [row for row in session.rows(_values(job)) if not {row["legacy_key"], row["service_key"]} & suspicious]
    victims = [_victim(job, row, raw) for row in chosen[:most]]
    _remember(session, job, victims)
    return victims


def _told_of(session: Engine, job: Job) -> set[str | None]:
    """The rows that events of the copy are about: what is planted there would not be all that is told of them."""
    files = [job.lake.file(job.at("events", key)) for key in job.lake.partitions(*_names(job), "events")]
    if not files:
        return set()
    session.scan("events of the copy", files)
    return {str(row["key"]) for row in session.rows('SELECT DISTINCT legacy_key AS key FROM "events of the copy"')}


def _names(job: Job) -> tuple[str, str]:
    return job.context.name, job.entity.name


def _chosen(seed: int, most: int) -> str:
    """Pairs whose rows are in no other pair."""
    return f"""
        SELECT legacy_key, service_key
        FROM (
            SELECT p.*, COUNT(*) OVER (PARTITION BY legacy_key) AS of_legacy,
                COUNT(*) OVER (PARTITION BY service_key) AS of_service
            FROM pairs AS p
        ) AS counted
        WHERE compared AND of_legacy = 1 AND of_service = 1
        ORDER BY sha256_hex('{seed:d}' || ' ' || legacy_key), service_key
        LIMIT {most:d}
    """


def _raw(session: Engine, job: Job, side: Side) -> dict[object, Row]:
    key = row_key(job.holder(side))
    asked = f'SELECT {side}_key FROM "chosen pairs"'
    rows = session.rows(
        f"SELECT {key} AS __key, r.* FROM {side} AS r WHERE {live(job.holder(side))} AND {key} IN ({asked})"
    )
    return {row["__key"]: {name: held for name, held in row.items() if not name.startswith("__")} for row in rows}


def _values(job: Job) -> str:
    """Values, verdict and record of every field, and when the legacy row says it last changed."""
    columns = [
        sql
        for one in job.entity.fields
        for sql in (
            f"t.{quote(one.name)} AS {quote('value ' + one.name)}",
            f"c.{quote('verdict ' + one.name)} AS {quote('verdict ' + one.name)}",
            f"{comparison.system_of_record(job.entity, one)} AS {quote('record ' + one.name)}",
        )
    ]
    return f"""
        SELECT p.legacy_key, p.service_key, {", ".join(columns)}
        FROM "chosen pairs" AS o
        JOIN pairs AS p ON p.legacy_key = o.legacy_key AND p.service_key = o.service_key
        JOIN compared AS c ON c.legacy_key = p.legacy_key AND c.service_key = p.service_key
        JOIN translated AS t ON t.legacy_key = p.legacy_key
        JOIN "service rows" AS s ON s.service_key = p.service_key
        ORDER BY sha256_hex(p.legacy_key)
    """


def _victim(job: Job, row: Row, raw: dict[Side, dict[object, Row]]) -> Victim:
    names = [one.name for one in job.entity.fields]
    settled = frozenset(
        name
        for name in names
        if row[f"verdict {name}"] == Verdict.EQUAL
        and row[f"value {name}"] is not None
        and row[f"record {name}"] == Side.LEGACY
    )
    legacy = raw[Side.LEGACY][row["legacy_key"]]
    return Victim(
        str(row["legacy_key"]),
        str(row["service_key"]),
        {Side.LEGACY: legacy, Side.SERVICE: raw[Side.SERVICE][row["service_key"]]},
        {name: row[f"value {name}"] for name in names},
        settled,
    )


def _remember(session: Engine, job: Job, victims: list[Victim]) -> None:
    """What both sides said of the victims in the past of the copy, legacy in the service's language."""
    partitions = scratch.past(job)
    if not partitions:
        return
    tombstones.read(session, job, [*partitions, job.partition])
    for side in Side:
        key = row_key(job.holder(side))
        tombstones.scan(session, job, side, partitions, into=f"{side} before")
        asked = f'SELECT {side}_key FROM "chosen pairs"'
        rows = f"SELECT b.* FROM {quote(f'{side} before')} AS b WHERE {live(job.holder(side))} AND {key} IN ({asked})"
        source = f"{side} remembered"
        session.materialise(source, rows)
        if side is Side.LEGACY:
            translation.translate(session, job.entity, rows=source, into="translated before")
            key, source = "legacy_key", "translated before"
        fields = ", ".join(quote(one.name) for one in job.entity.fields)
        _tell(side, victims, session.rows(f"SELECT {key} AS __key, __partition, {fields} FROM {quote(source)}"))


def _tell(side: Side, victims: list[Victim], rows: Iterable[Row]) -> None:
    known = {(str(row.pop("__key")), str(row.pop("__partition"))): row for row in rows}
    by_key = {victim.key(side): victim for victim in victims}
    for (key, partition), values in known.items():
        if key in by_key:
            by_key[key].past[side, partition] = values
