"""Happenings as declared: event logs, the vocabulary of business events, fields that repeat what happened elsewhere.

What a user says of events; reading them is `journal`'s, what they prove `testimony`'s and `projection`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, field
from datetime import date

from pipelines.declared import declared
from pipelines.sources import Source
from pipelines.words import Effect, Numbering


@declared
class EventLog:
    """The log of business events of an entity: the columns that hold what every event has.

    `key` are the columns of the legacy key, part by part; or one column that holds the text of the whole key. `payload`
    is a column that holds a JSON object of field values in the service's language, or says for each field the column
    that holds its value. `types` translates the producer's words into the context's vocabulary, where they differ.
    `begins` is the first partition that has a log (by default the first of all). Numbers start at `first_number`, per
    key or partition; a row older than the log had reached `older_rows_at` when it began, if that is known.
    """

    source: Source
    _: KW_ONLY
    key: tuple[str, ...]
    sequence: str
    event_time: str
    recorded_time: str
    type: str
    payload: str | Mapping[str, str]
    producer: str | None = None
    schema_version: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    numbering: Numbering = Numbering.PER_KEY
    first_number: int = 1
    begins: date | None = None
    older_rows_at: int | None = None


@declared
class EventType:
    """A word of the context's event vocabulary: a business fact such as PolicyEndorsed, not a row change."""

    name: str
    entity: str
    meaning: str
    effect: Effect = Effect.CHANGES


@declared
class Projection:
    """That a field repeats a field of another entity, as it was at an instant.

    `of` is the entity ("context.entity"), whose event log the service builds the value from; `key` are the legacy
    columns that hold its legacy key, `as_of` the field of this entity that holds the instant.
    """

    of: str
    field: str
    _: KW_ONLY
    key: tuple[str, ...]
    as_of: str
