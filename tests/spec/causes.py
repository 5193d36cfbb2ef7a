"""Every type and reason in a small world of its own: the specification, and the examples of docs/discrepancies.md.

Each example tells in tables what both sides hold day by day (from 1 January 2026 on), what is declared beside the
defaults, what must be found on the last day, and the sentence in which `coexist explain` says why. `test_causes` runs
them through the public path. What is declared by default stands in `given`: rows are linked by their `id`, legacy is
right, nothing may be late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import polars as pl
from pandera.polars import DataFrameModel
from pandera.polars import Field as Column

from pipelines import declarations as say

NAME = (say.Field("name", say.Same("name"), say.Exact()),)
ADA, IDA, TWO, NOBODY = "id | name\n1  | Ada", "id | name\n1  | Ida", "id | name\n1  | Ada\n2  | Ida", "id | name"
LOG = say.EventLog(
    say.Csv("events_{date}.csv"), key=("id",), sequence="no", event_time="at", recorded_time="recorded", type="what",
    payload={"name": "name"}, older_rows_at=1,
)  # fmt: skip
TYPES = (
    say.EventType("Renamed", "things", "A thing got another name"),
    say.EventType("Seen", "things", "Somebody looked at it", effect=say.Effect.NOTES),
    say.EventType("Made", "things", "A thing came into being", effect=say.Effect.CREATES),
    say.EventType("Scrapped", "things", "A thing is no more", effect=say.Effect.DELETES),
)
QUIET = "id | no: int | at | recorded | what | name"
_NEWER = "1 | 3 | 2026-01-02T09:00:00Z | 2026-01-02T09:00:01Z | Renamed | Eva"
_OLDER = "1 | 2 | 2026-01-02T08:00:00Z | 2026-01-02T09:30:00Z | Renamed | Ida"
LIVES, TELLS = "id | name | city", "id | no: int | at | recorded | what | tells"
_IDA = """1 | 2 | 2026-01-02T08:00:00Z | 2026-01-02T08:00:01Z | Renamed | '{"name": "Ida"}'"""
_BERN = """1 | 3 | 2026-01-02T09:00:00Z | 2026-01-02T09:00:01Z | Renamed | '{"city": "Bern"}'"""
IN_SCOPE = {"scope": "kind = 'real'"}


class NamedThing(DataFrameModel):
    """Things of the service, none of which may be without a name."""

    id: pl.String
    name: pl.String = Column(nullable=False)


@dataclass(frozen=True)
class Example:
    """A cause and the smallest world that shows it. `finding`: both keys and the field, `-` for what is missing."""

    type: str
    reason: str
    legacy: tuple[str, ...]
    service: tuple[str, ...]
    finding: tuple[str, str, str]
    says: str
    declared: str = ""  # in words, beside the defaults
    events: tuple[str, ...] = ()  # the log, day by day
    links: str = ""
    given: Mapping[str, object] = field(default_factory=dict)  # arguments of `Given`


def _linkage(reason: str, says: str, finding: tuple[str, str, str], **world: object) -> Example:
    return Example("key_linkage", reason, finding=finding, says=says, **_held(**world))  # type: ignore[arg-type]


def _held(legacy: str, service: str, **more: object) -> dict[str, object]:
    return {"legacy": (legacy,), "service": (service,), **more}


_LINKED = say.IdentityTable(say.Csv("links.csv"), legacy=("old",), service=("new",), confidence="sure")
_BY_LINKS = {"identity": _LINKED}
_TABLE = "a table of links"
_LATE = {"entity": {"allowed_lag": timedelta(hours=36)}}
_LOGGED = {"entity": {"events": LOG}, "context": {"event_types": TYPES}}
_WITH_LOG = "an event log"


def _colours(*codes: str) -> str:
    return "id | code\n" + "\n".join(f"{n}  | {code}" for n, code in enumerate(codes, 1))


_COLOUR = say.Decode("code", {"R": "red", "G": "green"})

EXAMPLES = (
    _linkage(
        "unmapped", "No link of the identity map leads from this legacy row to the other side.", ("2", "-", "-"),
        legacy=TWO, service=ADA,
    ),
    _linkage(
        "dangling", "The identity map links this legacy row to a row that is not there.", ("2", "B", "-"),
        legacy=TWO, service="id | name\nA  | Ada", links="old | new | sure: float\n1 | A | 1\n2 | B | 1",
        declared=_TABLE, given=_BY_LINKS,
    ),
    _linkage(
        "ambiguous", "Several candidates, none of them certain: which rows belong together cannot be told.",
        ("1", "B", "-"), legacy=ADA, service="id | name\nA  | Ada\nB  | Ada",
        links="old | new | sure: float\n1 | A | 0.6\n1 | B | 0.5", declared=_TABLE, given=_BY_LINKS,
    ),
    _linkage(
        "cardinality_violated", "There are more certain links than the declared cardinality allows.", ("1", "B", "-"),
        legacy=ADA, service="id | name\nA  | Ada\nB  | Ada", links="old | new | sure: float\n1 | A | 1\n1 | B | 1",
        declared=_TABLE, given=_BY_LINKS,
    ),
    _linkage(
        "out_of_scope", "The other row is there, but the declared scope of its side leaves it out.", ("1", "A", "-"),
        legacy=ADA, service="id | name | kind\nA  | Ada  | test", links="old | new | sure: float\n1 | A | 1",
        declared=f"{_TABLE}; of the service only rows with kind = 'real'",
        given=_BY_LINKS | {"service_holder": IN_SCOPE},
    ),
    _linkage(
        "counterpart_rejected",
        "The row that belongs to this legacy row came from the service, but broke its contract (not_nullable), and was "
        "kept apart.",
        ("1", "A", "-"), legacy=ADA, service="id | name\nA  |", links="old | new | sure: float\n1 | A | 1",
        declared=f"{_TABLE}; by its contract every row of the service has a name",
        given=_BY_LINKS | {"service_holder": {"contract": NamedThing}},
    ),
    _linkage(
        "duplicate_key",
        "2 rows of service have this same key; for 1 row there is no row of the other side that says the same.",
        ("1", "1", "-"), legacy=ADA, service="id | name\n1  | Ada\n1  | Ida",
    ),
    _linkage(
        "null_key", "A part of the key is missing, so the legacy row cannot be linked.", (r"\N", "-", "-"),
        legacy="id | name\n1  | Ada\n   | Eva", service=ADA,
    ),
    Example(
        "missing_event", "sequence_gap", (ADA, IDA), (ADA, ADA), ("1", "1", "name"),
        "Event 2 of this row never came (event 3 did). The service shows what legacy said on 2026-01-01; legacy had "
        "moved on by 2026-01-02. That is 1 d behind: longer than allowed.",
        _WITH_LOG, (QUIET, f"{QUIET}\n1 | 3 | 2026-01-02T09:00:00Z | 2026-01-02T09:00:01Z | Seen |"), given=_LOGGED,
    ),
    Example(
        "missing_event", "change_without_event", (ADA, IDA), (ADA, ADA), ("1", "1", "name"),
        "The service shows what legacy said on 2026-01-01; legacy had moved on by 2026-01-02. No event of this row "
        "tells that change, and no number is missing. That is 1 d behind: longer than allowed.",
        _WITH_LOG, (QUIET, QUIET), given=_LOGGED,
    ),
    Example(
        "missing_event", "row_never_arrived", (ADA, TWO), (ADA, ADA), ("2", "-", "-"),
        "Legacy had no such row on 2026-01-01, and had it on 2026-01-02. No event creates it. That is 1 d behind: "
        "longer than allowed.",
        _WITH_LOG, (QUIET, QUIET), given=_LOGGED,
    ),
    Example(
        "missing_event", "deletion_without_event", (TWO, ADA), (TWO, TWO), ("-", "2", "-"),
        "Legacy still had its row 2 on 2026-01-01; on 2026-01-02 it was gone. No event deletes it. That is 1 d behind: "
        "longer than allowed.",
        _WITH_LOG, (QUIET, QUIET), given=_LOGGED,
    ),
    Example(
        "missing_event", "event_not_applied", (f"{LIVES}\n1 | Ada | Ulm", f"{LIVES}\n1 | Ida | Bern"),
        (f"{LIVES}\n1 | Ada | Ulm", f"{LIVES}\n1 | Ada | Bern"), ("1", "1", "name"),
        "Event 2 tells what is right, and had no effect on the service; event 3, which is newer, had. That is 16 h "
        "behind: longer than allowed.",
        _WITH_LOG, (TELLS, f"{TELLS}\n{_IDA}\n{_BERN}"),
        given={
            "rules": tuple(say.Field(name, say.Same(name), say.Exact()) for name in ("name", "city")),
            "entity": {"events": replace(LOG, payload="tells")}, "context": {"event_types": TYPES},
        },
    ),
    Example(
        "out_of_order_update", "older_event_applied_last", (ADA, "id | name\n1  | Eva"), (ADA, IDA), ("1", "1", "name"),
        "The service shows what event 2 told, although event 3 is newer: the older one was recorded later, and "
        "overwrote it.",
        _WITH_LOG,
        (
            QUIET,
            f"{QUIET}\n{_NEWER}\n{_OLDER}",
        ),
        given=_LOGGED,
    ),
    Example(
        "out_of_order_update", "regressed_to_older_value", (ADA, IDA, IDA), (ADA, IDA, ADA), ("1", "1", "name"),
        "The service had moved on by 2026-01-02, and by 2026-01-03 was back at what legacy last said on 2026-01-01; "
        "legacy had moved on by 2026-01-02.",
    ),
    Example(
        "stale_replica", "behind_beyond_lag", (ADA, IDA), (ADA, ADA), ("1", "1", "name"),
        "The service shows what legacy said on 2026-01-01; legacy had moved on by 2026-01-02. That is 1 d behind: "
        "longer than allowed.",
    ),
    Example(
        "stale_replica", "behind_within_lag", (ADA, IDA), (ADA, ADA), ("1", "1", "name"),
        "The service shows what legacy said on 2026-01-01; legacy had moved on by 2026-01-02. That is 1 d behind: "
        "within the lag allowed, so it counts as in flight.",
        "36 hours of lag are allowed", given=_LATE,
    ),
    Example(
        "stale_replica", "pending_row", (ADA, TWO), (ADA, ADA), ("2", "-", "-"),
        "Legacy had no such row on 2026-01-01, and had it on 2026-01-02; the service has not got it yet. That is 1 d "
        "behind: longer than allowed.",
    ),
    Example(
        "stale_replica", "deletion_not_propagated", (TWO, ADA), (TWO, TWO), ("-", "2", "-"),
        "Legacy still had its row 2 on 2026-01-01; on 2026-01-02 it was gone. The service still has its own. That is 1 "
        "d behind: longer than allowed.",
    ),
    Example(
        "stale_replica", "deletion_not_propagated", (ADA, NOBODY),
        ("id | name | dead: bool\n1  | Ada | false", "id | name | dead: bool\n1  | Ada | true"), ("1", "1", "-"),
        "Legacy has deleted this row, which must make it gone on the other side; so far it is flagged in the service. "
        "That is 1 d behind: within the lag allowed, so it counts as in flight.",
        "deleted rows are gone from legacy, and must be gone from the service, which may be a day behind",
        given={
            "legacy_holder": {"deletion": say.HardDelete(becomes="gone")},
            "service_holder": {"deletion": say.SoftDelete("dead")},
            "entity": {"allowed_lag": timedelta(days=1)},
        },
    ),
    Example(
        "invalid_transformation", "untranslatable", ("id | code\n1  | Q",), ("id | colour\n1  | red",),
        ("1", "1", "colour"), 'The rule "decode" cannot translate what legacy says: the code is not in its table.',
        'colour is Decode("code", {"R": "red", "G": "green"})',
        given={"rules": (say.Field("colour", _COLOUR, say.Exact()),)},
    ),
    Example(
        "invalid_transformation", "deletion_became_otherwise", ("id | name | dead: bool\n1  | Ada | true",),
        ("id | name | dead: bool\n1  | Ada | true",), ("1", "1", "-"),
        "Legacy says that this row is deleted, which must make it gone on the other side; in the service it is "
        "flagged.",
        "both sides delete by the flag dead; deleted in legacy is gone from the service",
        given={
            "legacy_holder": {"deletion": say.SoftDelete("dead", becomes="gone")},
            "service_holder": {"deletion": say.SoftDelete("dead")},
        },
    ),
    Example(
        "invalid_transformation", "deletion_became_otherwise", (ADA, NOBODY),
        ("id | name | dead: bool\n1  | Ada | false", "id | name | dead: bool"), ("1", "1", "-"),
        "Legacy last had this row on 2026-01-01, and has deleted it, which must make it flagged on the other side; in "
        "the service it is gone.",
        "deleted rows are gone from legacy, which the service must show by its flag dead",
        given={
            "legacy_holder": {"deletion": say.HardDelete(becomes="flagged")},
            "service_holder": {"deletion": say.SoftDelete("dead")},
        },
    ),
    Example(
        "invalid_transformation", "older_translation", ("id | code\n1  | R",), ("id | colour\n1  | rouge",),
        ("1", "1", "colour"),
        "Version 1 of the translation made what the service shows: it was never translated again.",
        'colour is Decode("code", {"R": "red", "G": "green"}), in version 1 it was Decode("code", {"R": "rouge"})',
        given={
            "rules": (say.Field("colour", _COLOUR, say.Exact(), earlier={"1": say.Decode("code", {"R": "rouge"})}),),
            "entity": {"translation_version": "2"},
        },
    ),
    Example(
        "invalid_transformation", "swapped_fields", ("id | city | street\n1  | Lyon | Rue",),
        ("id | city | street\n1  | Rue  | Lyon",), ("1", "1", "city"),
        "This field and street stand in each other's place, in 1 row of this partition.",
        given={"rules": tuple(say.Field(name, say.Same(name), say.Exact()) for name in ("city", "street"))},
    ),
    Example(
        "invalid_transformation", "time_zone_shift", ("id | at: instant\n1  | 2026-01-01T10:00:07Z",),
        ("id | at: instant\n1  | 2026-01-01T12:00:07Z",), ("1", "1", "at"),
        "The service is 2 h later than it should be, in 1 row: a time zone too many or too few.",
        given={"rules": (say.Field("at", say.Same("at"), say.Instant()),)},
    ),
    Example(
        "invalid_transformation", "unit_or_scale", ("id | amount: decimal(9,2)\n1  | 12.50",),
        ("id | amount: decimal(9,2)\n1  | 1250.00",), ("1", "1", "amount"),
        "The service shows the right number times 100, in 1 row: another unit, scale or sign.",
        given={"rules": (say.Field("amount", say.Same("amount"), say.Amount()),)},
    ),
    Example(
        "invalid_transformation", "format_only", ("id | name\n1  | DE23 0194",), ("id | name\n1  | DE230194",),
        ("1", "1", "name"), "The same letters and digits, written differently; so in 1 row of this field.",
    ),
    Example(
        "invalid_transformation", "truncated", ("id | name\n1  | Assekuranz GmbH",), ("id | name\n1  | Assekuranz",),
        ("1", "1", "name"), "The service shows the first 10 characters of the right text, in 1 row.",
    ),
    Example(
        "invalid_transformation", "systematic_pattern", (_colours("R", "R", "R", "R"),),
        ("id | colour\n1  | rot\n2  | rot\n3  | rot\n4  | red",), ("1", "1", "colour"),
        "For 3 rows with this raw value, of 4 in all, the service shows this same wrong value.",
        'colour is Decode("code", {"R": "red", "G": "green"})',
        given={"rules": (say.Field("colour", _COLOUR, say.Exact()),)},
    ),
    Example(
        "semantic_contradiction", "written_by_replica", (ADA, ADA), (ADA, IDA), ("1", "1", "name"),
        "On 2026-01-01 the service said what is right today; on 2026-01-02 it said something that legacy never said: "
        "the service changed what legacy owns.",
    ),
    Example(
        "semantic_contradiction", "rebirth", (TWO, ADA, ADA), (TWO, ADA, TWO), ("-", "2", "-"),
        "Legacy has not had its row 2 since 2026-01-02; the service had followed by 2026-01-02, and has had its row "
        "again since 2026-01-03.",
    ),
    Example(
        "semantic_contradiction", "rule_violated", ("id | start: int | end: int\n1  | 9 | 4",),
        ("id | start: int | end: int\n1  | 9 | 4",), ("1", "1", "-"),
        'The semantic rule "starts_before_it_ends" does not hold in legacy and in the service, for these rows '
        "together: spec.things 1 (legacy), spec.things 1 (service).",
        'the rule starts_before_it_ends: "things.start <= things.end"',
        given={
            "rules": tuple(say.Field(name, say.Same(name), say.Exact()) for name in ("start", "end")),
            "context": {
                "semantic_rules": (
                    say.SemanticRule(
                        "starts_before_it_ends", over=("things",), condition="things.start <= things.end",
                        owner=say.Owner("spec"),
                    ),
                )
            },
        },
    ),
    Example(
        "unexplained", "no_evidence", (ADA,), (IDA,), ("1", "1", "name"),
        "Nothing explains it: no earlier state of legacy that is known reads like the service, no event tells it, no "
        "version of the translation makes it, and it is like no other.",
    ),
)  # fmt: skip
