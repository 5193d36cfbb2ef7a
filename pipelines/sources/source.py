"""The one protocol of all sources: read the declared columns of one partition as batches of the declared Arrow schema.

A source says where rows are and how they are written down; it never repairs them. What cannot be read as declared comes
back beside the rows, with the reason. Sources whose tables are of one database can be read as of one moment of it. Each
kind of source is a module of its own beside this one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.filesystems import Remote, is_url
from pipelines.schemas import column, table_schema

REJECTED = table_schema(
    column("row_number", pa.int64(), "Row of the source, from 1, header not counted"),
    column("check", pa.string(), "The check that failed"),
    column("field", pa.string(), "The column it failed on; missing when it is the whole row"),
    column("reason", pa.string(), "What was expected"),
    column("raw", pa.string(), "The row as it was read, as a JSON object of texts"),
)


Notes = Mapping[str, Any]
NotesByPartition = Mapping[str, Notes]


@dataclass(frozen=True)
class Moment:
    """A moment of a database that several readers share: the token they join it by, and what they note of it."""

    token: str
    notes: Notes


class Moments(ABC):
    """What can hold a moment of all its tables for as long as a block lasts. Hashable: it is a declaration."""

    @abstractmethod
    def hold(self) -> AbstractContextManager[Moment]:
        """Hold the present moment. Raises SourceError."""


Held = Mapping[Moments, Moment]  # the moments that a run holds, by what they are of


@dataclass(frozen=True)
class Place:
    """Which data is meant: the folder relative paths start from, and the partition that fills `{date}` in them.

    `noted` tells what readings of this source noted when they were taken, by partition: where a log was read up to, so
    that the next partition begins there, and that the same partition, taken again, is the same. `moments` are those
    that the run holds: a source reads as of the one of its database, if there is one.
    """

    root: Path
    partition: str
    noted: Callable[[], NotesByPartition] = dict
    moments: Held = field(default_factory=dict)

    def path(self, template: str) -> Path | Remote:
        """The file a declared path or URL means for this partition."""
        name = template.replace("{date}", self.partition)
        return Remote(name) if is_url(name) else self.root / name


@dataclass(frozen=True)
class Batch:
    """Rows of the declared schema with their row numbers, and what beside them could not be read (`REJECTED`)."""

    rows: pa.RecordBatch
    row_numbers: pa.Array
    unreadable: pa.RecordBatch


@dataclass
class Reading:
    """An open source: its batches, and columns it holds that nobody declared (kept out, but reported).

    `notes` say where in the source's own life the rows were taken (offsets, positions), and go into the manifest. Both
    are complete after the last batch, not before. `rows` is how many the source says there are, counted apart from
    reading them, where it can say.
    """

    batches: Iterator[Batch]
    undeclared: tuple[str, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    rows: int | None = None


@dataclass(frozen=True)
class Misfit:
    """What in a source's declaration does not go with the contract's columns, or with itself: where, what, a hint."""

    attribute: str
    message: str
    hint: str = ""


class Source(ABC):
    """Where one side's rows come from."""

    @abstractmethod
    def open(self, place: Place, schema: pa.Schema) -> AbstractContextManager[Reading]:
        """Open the partition for reading in bounded memory.

        Raises SourceError naming file and column when the source as a whole is not as declared (missing, empty,
        truncated, a column missing or twice); single bad rows come back as `unreadable`.
        """

    @abstractmethod
    def describe(self) -> str:
        """One line for people: kind and place, without secrets."""

    def moments(self) -> Moments | None:
        """What can hold a moment of all tables that this one may have to agree with; None when nothing can."""
        return None

    def misfits(self, columns: Sequence[str]) -> Iterator[Misfit]:  # noqa: ARG002 (most sources fit any columns)
        """What can be said to be wrong before anything is opened, given the columns that will be asked for."""
        yield from ()
