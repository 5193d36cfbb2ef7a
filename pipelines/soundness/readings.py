"""Sources: what each can say against its own declaration without being opened, given the columns asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.declarations import EventLog, IdentityTable
from pipelines.errors import Problem
from pipelines.soundness.spot import Spot
from pipelines.soundness.subject import Subject
from pipelines.sources import Source


def check(subject: Subject) -> Iterator[Problem]:
    """Problems of the sources of both sides, of the event log and of the identity map."""
    for side in subject.schemas:
        holder = subject.holders[side]
        yield from _misfits(subject.at_holder(side, "source"), holder.source, subject.columns(side))
    if subject.log is not None:
        spot = subject.spot.at("events", "source", of=subject.log)
        yield from _misfits(spot, subject.log.source, _told_by(subject.log))
    table = subject.identity
    if not isinstance(table, IdentityTable):
        return
    spot = subject.spot.at("identity", of=table)
    optional = (table.valid_from, table.valid_to, table.provenance, table.confidence, table.primary)
    asked = [*table.legacy, *table.service, *(name for name in optional if name)]
    yield from _misfits(spot.at("source"), table.source, asked)
    if table.merges is not None:
        asked = [*table.merges.merged, *table.merges.survivor]
        yield from _misfits(spot.at("merges", "source", of=table.merges), table.merges.source, asked)


def _told_by(log: EventLog) -> list[str]:
    """The columns that are asked of an event log, each once."""
    held = [log.payload] if isinstance(log.payload, str) else list(log.payload.values())
    asked = [*log.key, log.sequence, log.event_time, log.recorded_time, log.type, log.producer, log.schema_version]
    return list(dict.fromkeys(name for name in (*asked, *held) if name))


def _misfits(spot: Spot, source: Source, columns: Sequence[str]) -> Iterator[Problem]:
    for misfit in source.misfits(columns):
        yield spot.at(misfit.attribute, of=source).problem(misfit.message, misfit.hint)
