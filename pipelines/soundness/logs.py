"""Event logs: the key they name, the fields they tell, and the words they use are those that are declared.

What a log says otherwise than the entity would be passed over without a word: its events would be refused one by one,
or tell nothing. Columns of its source are asked for by `readings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.declarations import Context, EventLog, EventType
from pipelines.declared import is_broken
from pipelines.errors import Problem, did_you_mean
from pipelines.soundness.spot import Spot
from pipelines.soundness.subject import Subject


def check(subject: Subject, context: Context) -> Iterator[Problem]:
    """Problems of the log of one entity, if it has one."""
    log = subject.log
    if log is None or not subject.is_finished:
        return
    spot = subject.spot.at("events", of=log)
    yield from _key(subject, spot, log)
    yield from _fields(subject, spot, log)
    kinds = vars(context).get("event_types", ())
    if isinstance(kinds, tuple) and not any(map(is_broken, kinds)):
        yield from _words(subject, spot, log, kinds)


def _key(subject: Subject, spot: Spot, log: EventLog) -> Iterator[Problem]:
    key = subject.entity.legacy.key
    if not is_broken(subject.entity.legacy) and len(log.key) not in {1, len(key)}:
        message = f"{len(log.key)} key columns, but the legacy key has {len(key)}: {', '.join(key)}"
        yield spot.at("key").problem(message, "name a column for each, or one with the text of the whole key")


def _fields(subject: Subject, spot: Spot, log: EventLog) -> Iterator[Problem]:
    if not isinstance(log.payload, Mapping) or is_broken(subject.entity.fields):
        return
    fields = [field.name for field in subject.fields]
    for name in log.payload:
        if name not in fields:
            yield spot.at("payload").problem(f'unknown field "{name}"', did_you_mean(name, fields))


def _words(subject: Subject, spot: Spot, log: EventLog, kinds: tuple[EventType, ...]) -> Iterator[Problem]:
    """Of other entities' words none can be said of this one."""
    own = {subject.entity.name, subject.spot.path}
    words = [kind.name for kind in kinds if kind.entity in own]
    if not words:
        message = f"the context declares no event types of {subject.entity.name}: every event would be refused"
        yield spot.problem(message, "list them in the context's event_types")
        return
    for said, word in log.types.items():
        if word not in words:
            yield spot.at("types", said).problem(f'unknown event type "{word}"', did_you_mean(word, words))
