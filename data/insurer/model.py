"""What the generator knows of one entity: how its rows live, how each side writes them down, and what is planted.

Facts are the truth in the service's language, as SQL over `id` and the group versions `ga`, `gb`, `gc`. Both renderings
start from facts. The entity modules make models; how rows live and are seen is in `lives` and `sight`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from data.insurer.chance import Chance
from data.insurer.clock import Clock


class Side(StrEnum):
    """The two holders."""

    LEGACY = "legacy"
    SERVICE = "service"


class Kind(StrEnum):
    """How the value of a field is written in an event's payload."""

    TEXT = "text"
    NUMBER = "number"
    AMOUNT = "amount"
    FLAG = "flag"
    DATE = "date"
    INSTANT = "instant"


@dataclass(frozen=True)
class Life:
    """How rows come, change and go: ids below `regular` live all days; those from there to `total` come or go."""

    chance: Chance
    clock: Clock
    regular: int
    total: int
    born_percent: int = 20
    died_percent: int = 20
    settled: str = "FALSE"  # of regular rows: condition on the id for those that never change


@dataclass(frozen=True)
class Group:
    """Fields that change together, and the business event that says so."""

    event: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """A column that a planting writes differently: `{}` in `sql` stands for what would be right."""

    side: Side
    column: str
    sql: str


@dataclass(frozen=True)
class Planting:
    """A kind of discrepancy to plant: how it acts on rows, how it is called, which rows it may take.

    `pool` is one of the names in `pools`; `where` is a condition on facts. `span` None draws first and last day.
    """

    act: str
    type: str
    reason: str
    pool: str
    fields: tuple[str, ...] = ()
    shown: tuple[Shown, ...] = ()
    where: str = "TRUE"
    count: int = 2
    every: bool = False  # all rows of the pool that qualify, not just some
    always: bool = False  # all days, not a drawn span
    note: str = ""


@dataclass(frozen=True)
class Model:
    """One entity."""

    context: str
    entity: str
    life: Life
    fields: Mapping[str, Kind]
    groups: tuple[Group, Group, Group]
    born_event: str
    died_event: str
    facts: Mapping[str, str]
    legacy: Mapping[str, str]
    service: Mapping[str, str]
    legacy_key: Callable[[str], str]
    service_key: Callable[[str], str]
    plantings: tuple[Planting, ...]
    soft: Side | None = None
    digital: str = "FALSE"  # rows whose system of record is the service
    neutral_event: str = "Reviewed"  # business event that changes no field
    link: tuple[Callable[[str], Mapping[str, str]], str] | None = (
        None  # identity table: legacy key columns of an id, service key column
    )
    odd_keys: Mapping[str, Callable[[str], str]] = field(
        default_factory=dict
    )  # per act: legacy key text that differs from `legacy_key`
    twins: Mapping[Side, tuple[str, str]] = field(
        default_factory=dict
    )  # column that duplicates show differently, and how
    more_life: Mapping[str, str] = field(default_factory=dict)
    joins: str = ""
    more_sight: Callable[[Side], Mapping[str, str]] = lambda _side: {}
    more_versions: tuple[str, ...] = ()
    projected_fields: tuple[str, ...] = ()  # fields that depend on `more_versions`
    members: str = "FALSE"  # rows that have further counterparts on the service side
    merges: Merging | None = None

    @property
    def name(self) -> str:
        """Folder and file name."""
        return self.entity

    @property
    def ids(self) -> int:
        """How many ids there are, merged ones included."""
        return self.life.total + (self.merges.count if self.merges else 0)


@dataclass(frozen=True)
class Merging:
    """Legacy rows merged into others: ids from `first` on, the day (below 0: before the window), the survivor's id."""

    first: int
    count: int
    day: str
    survivor: str
