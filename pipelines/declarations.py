"""What a user declares: contexts, their entities, both holders of each, and how every field is translated and judged.

The front door for context files: everything they need is importable from here. Objects are frozen and typed; what they
mean together is checked by `loading`. Words, rules, comparators, identities, partitionings and sources have modules of
their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, field
from datetime import timedelta
from pathlib import Path

from pandera.polars import DataFrameModel

from pipelines.capability import Capability
from pipelines.comparators import (
    Amount,
    Comparator,
    Custom,
    Day,
    Document,
    Elapsed,
    Enumeration,
    Exact,
    Floating,
    Instant,
    Items,
    Order,
    Rounding,
    Text,
)
from pipelines.declared import Span, declared
from pipelines.happenings import EventLog, EventType, Projection
from pipelines.identities import Cardinality, Identity, IdentityTable, Merges, NaturalKey
from pipelines.partitioning import Daily, EffectiveDates, Monthly, Partitioning
from pipelines.rules import (
    Case,
    Clean,
    CodeTable,
    Combine,
    Constant,
    Currency,
    DateSpelling,
    Decode,
    LegacyDate,
    LocalTime,
    NullIf,
    Number,
    ParsedDate,
    Reference,
    Rule,
    Same,
    Scale,
    Split,
    Sql,
    UnknownCode,
)  # fmt: skip
from pipelines.sources import (
    Avro,
    Binary,
    Chars,
    Column,
    Csv,
    Env,
    Excel,
    FixedWidth,
    Json,
    JsonLines,
    Kafka,
    Login,
    Mainframe,
    Packed,
    ParquetFile,
    Postgres,
    SchemaRegistry,
    SecretFile,
    Source,
    SqlDatabase,
    Table,
    Zoned,
)  # fmt: skip
from pipelines.words import (
    Classification,
    Criticality,
    Effect,
    Missing,
    MissingMeans,
    Numbering,
    Owner,
    Phase,
    ServiceLevel,
    Side,
)  # fmt: skip

__all__ = [
    "Amount", "Avro", "Binary", "Capability", "Cardinality", "Case", "Chars", "Classification", "Clean", "CodeTable",
    "Column", "Combine", "Comparator", "Constant", "Context", "Criticality", "Csv", "Currency", "Custom", "Daily",
    "DateSpelling", "Day", "Decode", "Document", "Effect", "EffectiveDates", "Elapsed", "Entity", "Enumeration",
    "Env", "EventLog", "EventType", "Exact", "Excel", "Field", "FixedWidth", "Floating", "HardDelete", "Holder",
    "IdentityTable", "Instant", "Items", "Json", "JsonLines", "Kafka", "LegacyDate", "LocalTime", "Login",
    "Mainframe", "Merges", "Missing", "MissingMeans", "Monthly", "NaturalKey", "NullIf", "Number", "Numbering",
    "Order", "Owner", "Packed", "ParquetFile", "ParsedDate", "Phase", "Postgres", "Projection", "Reference",
    "Rounding", "Same", "Scale", "SchemaRegistry", "SecretFile", "SemanticRule", "ServiceLevel", "Side", "Slice",
    "SoftDelete", "Split", "Sql", "SqlDatabase", "Table", "Text", "Tombstone", "UnknownCode", "Zoned",
]  # fmt: skip


GONE, FLAGGED = "gone", "flagged"  # what a deletion `becomes` on the other side, if anything is said


@declared
class HardDelete:
    """A deleted row is gone."""

    becomes: str = ""


@declared
class SoftDelete:
    """A deleted row stays, and `when` (canonical SQL over raw columns) says so; the other side must not hold it."""

    when: str
    becomes: str = ""


@declared
class Tombstone:
    """A deletion is an event of this type; the row may be gone, or still be there.

    Events name legacy keys: the service's rows are deleted by those that name the rows linked with them.
    """

    event: str
    becomes: str = ""


@declared
class Holder:
    """One side's model of an entity: where its rows are, the contract they keep, what identifies a row.

    Parts of the key named in `nullable_key` may be missing: for them missing is a value. `scope` (canonical SQL over
    the raw columns) says which rows take part at all; the others are counted as out of scope. `changed_at` says when a
    row last changed: a column that holds an instant, or a rule that makes one (`LocalTime`).
    """

    _: KW_ONLY
    source: Source
    contract: type[DataFrameModel]
    key: tuple[str, ...]
    nullable_key: tuple[str, ...] = ()
    scope: str | None = None
    deletion: HardDelete | SoftDelete | Tombstone = field(default_factory=HardDelete)
    changed_at: str | Rule | None = None


@declared
class Slice:
    """Rows that have moved ahead (or stayed behind): a condition over the entity's fields, and who owns them."""

    name: str
    when: str
    system_of_record: Side


@declared
class Field:
    """An attribute in the service's language: how legacy says it, what equal means, how much it matters.

    `name` is the service column; without a `description` the field means what the service's contract says of it.
    `earlier` are the rules of earlier translation versions, by version, where they said something else: a value that
    one of them explains was translated with it and never again. `projects` says that the field repeats another
    entity's: what is wrong with it may have gone wrong there.
    `compared_when` (canonical SQL over the entity's fields, and `link_primary` of the link) leaves pairs out of the
    comparison of this field.
    """

    name: str
    rule: Rule
    compare: Comparator
    _: KW_ONLY
    earlier: Mapping[str, Rule] = field(default_factory=dict)
    description: str = ""
    missing: Missing = field(default_factory=Missing)
    criticality: Criticality = Criticality.MAJOR
    service_level: ServiceLevel | None = None
    impact: str = ""
    classification: Classification = Classification.INTERNAL
    system_of_record: Side | None = None
    compared_when: str | None = None
    owner: Owner | None = None
    projects: Projection | None = None

    def rules(self) -> tuple[Rule, ...]:
        """The rule in force and the earlier ones."""
        return (self.rule, *self.earlier.values())


@declared
class Entity:
    """A business thing both sides hold, and everything that makes their two models comparable."""

    name: str
    _: KW_ONLY
    description: str
    owner: Owner
    legacy: Holder
    service: Holder
    identity: Identity
    fields: tuple[Field, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)
    service_only: Mapping[str, str] = field(default_factory=dict)
    translation_version: str = "1"
    translation_owner: Owner | None = None
    system_of_record: Side = Side.LEGACY
    slices: tuple[Slice, ...] = ()
    phase: Phase = Phase.PARALLEL_RUN
    allowed_lag: Span = timedelta(0)
    service_level: ServiceLevel = ServiceLevel(0.0)
    linkage_level: ServiceLevel = ServiceLevel(0.0)
    linkage_criticality: Criticality = Criticality.CRITICAL
    horizon: int = 10
    events: EventLog | None = None
    partitioning: Partitioning | None = None
    segments: tuple[str, ...] = ()  # further columns of either side, dropped or of the service only, that may be told

    def holder(self, side: Side) -> Holder:
        """The declaration of one side."""
        return self.legacy if side is Side.LEGACY else self.service

    def natural_key(self, side: Side) -> tuple[Rule, ...]:
        """The rules of one side's natural key, part by part; none where links stand in a table."""
        if not isinstance(self.identity, NaturalKey):
            return ()
        return self.identity.legacy if side is Side.LEGACY else self.identity.service


@declared
class SemanticRule:
    """A condition over linked entities that must hold: "a cancelled policy has no open invoice".

    `over` names the entities, the one that findings are about first: it is of this context, the others of any
    (`context.entity`). `condition` is canonical SQL over their fields in the service's language, each qualified by its
    entity (`policies.underwriting_status`); it is violated where it is false, and undecided where a missing value
    leaves it neither true nor false. Rows belong together through fields that refer from one to the other; where
    several do, `links` says which (`invoices.policy_id`). `sides` are those on which the rule is evaluated. The
    service level limits the rate of combined rows that violate it.
    """

    name: str
    over: tuple[str, ...]
    condition: str
    _: KW_ONLY
    owner: Owner
    description: str = ""
    links: tuple[str, ...] = ()
    sides: tuple[Side, ...] = (Side.LEGACY, Side.SERVICE)
    criticality: Criticality = Criticality.MAJOR
    service_level: ServiceLevel = ServiceLevel(0.0)


@declared
class Context:
    """A bounded context: its entities, their common partitioning and schedule, its vocabulary and rules.

    Relative paths of its sources start at `root` (itself relative to the working directory).
    """

    name: str
    _: KW_ONLY
    description: str
    owner: Owner
    partitioning: Partitioning
    entities: tuple[Entity, ...]
    schedule: str = "0 6 * * *"
    event_types: tuple[EventType, ...] = ()
    semantic_rules: tuple[SemanticRule, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    root: Path = Path()
