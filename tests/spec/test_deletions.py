"""How each side says that a row is deleted, and what must follow on the other; told and untold; back again; in flight.

One thing is there on the first day. What both sides hold on the second is said in a line each; cases that are declared
alike are reconciled together, each with a thing of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from pandera.polars import DataFrameModel
from pandera.polars import Field as Column

from pipelines import declarations as say
from pipelines import explanation, recount, ruling
from pipelines.job import Job
from pipelines.portfolio import Portfolio
from tests.spec.causes import LOG, QUIET, TYPES
from tests.spec.crowds import by_day, findings, reasons
from tests.spec.given import FIRST, Given, found, reconciled, rows

HEAD = "id | name | gone: bool"
THERE, FLAGGED, NOT = f"{HEAD}\n1 | Ada | false", f"{HEAD}\n1 | Ada | true", HEAD
SCRAPPED = f"{QUIET}\n1 | 2 | 2026-01-02T09:00:00Z | 2026-01-02T09:00:01Z | Scrapped |"
SOFT = {"deletion": say.SoftDelete("gone")}
TOLD = {"deletion": say.Tombstone("Scrapped")}
LATE, UNTOLD = ("stale_replica", "deletion_not_propagated"), ("missing_event", "deletion_without_event")
OWN = ("semantic_contradiction", "written_by_replica")
Cases = list[tuple[str, str, tuple[str, ...], list[tuple[str, str]]]]  # legacy, service, log, what must be found


def things(
    legacy: list[str], service: list[str], *, log: tuple[str, ...] = (), lag: int = 0, **holders: object
) -> Given:
    """Rows day by day, with a log if there is one; `lag` hours are allowed."""
    entity: dict[str, object] = {"allowed_lag": timedelta(hours=lag)} | ({"events": LOG} if log else {})
    tables = {f"events_2026-01-0{day}": held for day, held in enumerate(log, 1)}
    return Given(legacy, service, entity=entity, tables=tables, context={"event_types": TYPES}, **holders)  # type: ignore[arg-type]


def on_the_second_day(folder: Path, cases: Cases, **holders: object) -> list[list[tuple[object, object]]]:
    """What is found of each thing on the second day: there on the first, with a log where the cases have one."""
    legacy, service, logs, _ = zip(*cases, strict=True)
    held = [by_day([(THERE, second) for second in side]) for side in (legacy, service)]
    given = things(*held, log=tuple(by_day(logs)) if any(logs) else (), **holders)
    return reasons(reconciled(given, folder), [2] * len(cases))


def due(cases: Cases) -> list[list[tuple[str, str]]]:
    """What must be found of each thing."""
    return [case[-1] for case in cases]


@pytest.mark.parametrize(
    "cases",
    [
        [
            # legacy  service  no log  what must be found of the row
            (NOT,     NOT,     (),     []),
            (NOT,     THERE,   (),     [LATE]),
            (FLAGGED, NOT,     (),     []),
            (FLAGGED, FLAGGED, (),     []),
            (FLAGGED, THERE,   (),     [LATE]),
            (THERE,   FLAGGED, (),     [OWN]),
        ],
        [
            # legacy  service  what the log says    what must be found of the row
            (NOT,     THERE,   (QUIET, SCRAPPED),   [LATE]),
            (NOT,     THERE,   (QUIET, QUIET),      [UNTOLD]),
            (FLAGGED, THERE,   (QUIET, QUIET),      [UNTOLD]),
            (NOT,     FLAGGED, (QUIET, SCRAPPED),   []),
        ],
    ],
    ids=["no log", "log"],
)  # fmt: skip
def test_gone_or_flagged_on_either_side(tmp_path, cases):
    assert on_the_second_day(tmp_path, cases, legacy_holder=SOFT, service_holder=SOFT) == due(cases)


MADE_AGAIN = f"{QUIET}\n1 | 3 | 2026-01-03T09:00:00Z | 2026-01-03T09:00:01Z | Made | Ada"
BORN_LATE = f"{QUIET}\n1 | 1 | 2026-01-02T10:00:00Z | 2026-01-02T10:00:01Z | Made | Ada"


def test_a_tombstone_deletes_the_row_that_is_still_there(tmp_path: Path) -> None:
    """Of events that say whether a row is there the last one by number counts, whenever it was recorded."""
    cases = [
        # legacy  service  what the log says day by day         what must be found of the row on the last day
        (THERE,   THERE,   (QUIET, QUIET),                       []),
        (THERE,   THERE,   (QUIET, SCRAPPED),                    [LATE]),
        (NOT,     THERE,   (QUIET, SCRAPPED),                    [LATE]),
        (NOT,     THERE,   (QUIET, QUIET),                       [UNTOLD]),
        (THERE,   NOT,     (QUIET, SCRAPPED),                    []),
        (THERE,   FLAGGED, (QUIET, SCRAPPED),                    []),
        (NOT,     NOT,     (QUIET, SCRAPPED),                    []),
        (THERE,   THERE,   (QUIET, f"{SCRAPPED}{BORN_LATE[len(QUIET):]}"), [LATE]),
    ]  # fmt: skip

    assert on_the_second_day(tmp_path, cases, legacy_holder=TOLD, service_holder=SOFT) == due(cases)


def test_tombstones_are_remembered_and_rows_made_again_are_there(tmp_path: Path) -> None:
    """Scrapped on the second day; on the third a thing that nobody made again is still dead, one that was is not."""
    still = things([THERE] * 3, [THERE, THERE, THERE], log=(QUIET, SCRAPPED, QUIET), legacy_holder=TOLD)
    again = things([THERE] * 3, [THERE, NOT, THERE], log=(QUIET, SCRAPPED, MADE_AGAIN), legacy_holder=TOLD)
    for name, given, on_it in (("still", still, [LATE]), ("again", again, [])):
        (tmp_path / name).mkdir()
        assert [tuple(finding[3:]) for finding in found(given, tmp_path / name)] == on_it


def test_what_came_back_after_its_tombstone_is_named(tmp_path: Path) -> None:
    given = things([THERE] * 3, [THERE, NOT, THERE], log=(QUIET, SCRAPPED, QUIET), legacy_holder=TOLD)

    assert [tuple(finding[3:]) for finding in found(given, tmp_path)] == [("semantic_contradiction", "rebirth")]


def test_a_rule_over_rows_takes_no_notice_of_those_deleted_by_an_event(tmp_path: Path) -> None:
    """Two things break the rule in legacy; one of them is scrapped."""
    rule = say.SemanticRule("has_name", ("things",), "things.name <> 'Ada'", owner=say.Owner("spec"))
    both = f"{THERE}\n2 | Ada | false"
    given = things([both] * 2, [both] * 2, log=(QUIET, SCRAPPED), legacy_holder=TOLD)
    job = reconciled(given, tmp_path)
    context = replace(job.context, semantic_rules=(rule,))
    ruling.rule(replace(job, context=context), Portfolio((context,), {}).rules_of(context, job.entity))

    (on_legacy,) = [row for row in rows(job, "semantic_rules") if row["side"] == "legacy"]
    assert (on_legacy["checked"], on_legacy["violated"]) == (1, 1)


def test_rows_deleted_by_an_event_are_counted_as_deleted(tmp_path: Path) -> None:
    given = things([THERE] * 2, [THERE, NOT], log=(QUIET, SCRAPPED), legacy_holder=TOLD)

    (linkage,) = rows(reconciled(given, tmp_path), "linkage")
    assert (linkage["legacy_rows"], linkage["legacy_deleted"], linkage["matched"]) == (1, 1, 0)


def test_what_came_back_on_the_replica_is_named(tmp_path: Path) -> None:
    """Deleted and told on the second day, followed by the service, and there again on the third."""
    given = things([THERE, NOT, NOT], [THERE, NOT, THERE], log=(QUIET, SCRAPPED, QUIET))

    assert found(given, tmp_path) == [(None, "1", None, "semantic_contradiction", "rebirth")]


@pytest.mark.parametrize(
    ("third_day", "state", "in_flight", "landed"),
    [(THERE, "ongoing", False, "2026-01-02"), (NOT, "resolved", True, None)],
    ids=["confirmed", "cleared"],
)
def test_what_was_in_flight_is_confirmed_or_cleared_by_the_next_day(tmp_path, third_day, state, in_flight, landed):
    """Deleted on the second day, within the lag: on the third it has arrived, or it is late for good."""
    given = things([THERE, NOT, NOT], [THERE, THERE, third_day], log=(QUIET, SCRAPPED, QUIET), lag=20)
    job = reconciled(given, tmp_path)

    (flying,) = rows(replace(job, partition="2026-01-02"), "discrepancies")
    (told,) = rows(job, "discrepancy_history")
    assert (flying["reason"], flying["in_flight"]) == ("deletion_not_propagated", True)
    assert (told["state"], told["in_flight"]) == (state, in_flight)
    assert [f'"in_flight_in": "{landed}"' in str(row["evidence"]) for row in rows(job, "discrepancies")] == (
        [True] if landed else []
    )


OTHERWISE = ("invalid_transformation", "deletion_became_otherwise")
LINKED = say.IdentityTable(say.Csv("links.csv"), legacy=("old",), service=("new",))


def links(cases: Sequence[object]) -> dict[str, str]:
    """The table of links between the things of so many cases."""
    return {"links": "\n".join(["old | new", *(f"{number} | {number}" for number, _ in enumerate(cases, 1))])}


@pytest.mark.parametrize(
    ("becomes", "cases"),
    [
        # what legacy's deletion must become; what both hold, whether that is something else
        ("gone", [(FLAGGED, FLAGGED, True), (FLAGGED, NOT, False), (THERE, THERE, False)]),
        ("flagged", [(FLAGGED, FLAGGED, False), (FLAGGED, NOT, True), (THERE, THERE, False), (NOT, NOT, False)]),
        ("", [(FLAGGED, FLAGGED, False), (FLAGGED, NOT, False)]),
    ],
)
def test_what_a_deletion_must_become(tmp_path, becomes, cases):
    held = [by_day([[case[side]] for case in cases]) for side in (0, 1)]
    given = Given(
        *held, identity=LINKED, tables=links(cases),
        legacy_holder={"deletion": say.SoftDelete("gone", becomes=becomes)}, service_holder=SOFT,
    )  # fmt: skip

    assert wrong_things(reconciled(given, tmp_path), [1] * len(cases)) == [case[-1] for case in cases]


def wrong_things(job: Job, ends: Sequence[int]) -> list[bool]:
    """Of each thing, whether the one finding on its last day is that it became something else; or there is none."""
    told = [
        [tuple(row[name] for name in ("legacy_key", "service_key", "field", "type", "reason")) for row in of]
        for of in findings(job, ends)
    ]
    assert [of for of in told if of] == [
        [(str(number), str(number), None, *OTHERWISE)] for number, of in enumerate(told, 1) if of
    ]
    return [bool(of) for of in told]


def test_what_a_tombstone_must_become(tmp_path: Path) -> None:
    """Legacy still holds what an event deleted, the service has flagged it, and was to drop it."""
    told = {"deletion": say.Tombstone("Scrapped", becomes="gone")}
    given = things([THERE, THERE], [THERE, FLAGGED], log=(QUIET, SCRAPPED), legacy_holder=told, service_holder=SOFT)

    assert found(given, tmp_path) == [("1", "1", None, "invalid_transformation", "deletion_became_otherwise")]


EXPECTED = ("1", "1", None, *OTHERWISE)
FLYING = ("1", "1", None, "stale_replica", "deletion_not_propagated")
ERASED = {
    # what must follow; what legacy and the service hold day by day, whether something else followed by the last day
    "": [
        ((THERE, NOT),        (THERE, FLAGGED),        False),
    ],
    "flagged": [
        ((THERE, NOT),        (THERE, FLAGGED),        False),
        ((THERE, NOT),        (THERE, NOT),            True),
        # wrong as long as both stay so, and until it is right or the row is back
        ((THERE, NOT, NOT),   (THERE, NOT, NOT),       True),
        ((THERE, NOT, NOT),   (THERE, NOT, FLAGGED),   False),
        ((THERE, NOT, THERE), (THERE, NOT, THERE),     False),
        # what was late became something else; what was right once is settled
        ((THERE, NOT, NOT),   (THERE, THERE, NOT),     True),
        ((THERE, NOT, NOT),   (THERE, FLAGGED, NOT),   False),
    ],
    "gone": [
        ((THERE, NOT),        (THERE, NOT),            False),
        ((THERE, NOT),        (THERE, FLAGGED),        True),
        ((THERE, NOT),        (FLAGGED, FLAGGED),      True),
        ((NOT, NOT),          (FLAGGED, FLAGGED),      False),
        ((THERE, THERE),      (THERE, THERE),          False),
        ((THERE, NOT, NOT),   (THERE, FLAGGED, NOT),   False),
        ((THERE, NOT, NOT),   (THERE, THERE, FLAGGED), True),
    ],
}  # fmt: skip


@pytest.mark.parametrize("identity", [None, LINKED], ids=["natural", "table"])
@pytest.mark.parametrize("becomes", ERASED)
def test_what_a_deletion_that_leaves_nothing_must_become(tmp_path, becomes, identity):
    """Whether links stand in a table, or are derived from rows that must be there for it."""
    legacy, service, is_wrong = zip(*ERASED[becomes], strict=True)
    given = Given(
        by_day(legacy), by_day(service), identity=identity, tables=links(legacy),
        legacy_holder={"deletion": say.HardDelete(becomes=becomes)}, service_holder=SOFT,
    )  # fmt: skip

    assert wrong_things(reconciled(given, tmp_path), [*map(len, legacy)]) == [*is_wrong]


@pytest.mark.parametrize(
    ("legacy", "service", "on_each_day"),
    [
        (say.HardDelete(becomes="gone"), (THERE, FLAGGED, FLAGGED), [FLYING, EXPECTED]),
        (say.HardDelete(becomes="flagged"), (THERE, NOT, NOT), [FLYING, EXPECTED]),
        (say.HardDelete(becomes="gone"), (THERE, FLAGGED, NOT), [FLYING]),
    ],
)
def test_what_may_still_become_right_is_in_flight(tmp_path, legacy, service, on_each_day):
    """Within the lag that is allowed a row may be flagged today and purged tomorrow."""
    given = Given(
        [THERE, NOT, NOT], list(service), legacy_holder={"deletion": legacy}, service_holder=SOFT,
        entity={"allowed_lag": timedelta(hours=30)},
    )  # fmt: skip
    job = reconciled(given, tmp_path)
    names = ("legacy_key", "service_key", "field", "type", "reason")
    days = [replace(job, partition=f"2026-01-0{day}") for day in (2, 3)]
    told = [row for day in days for row in rows(day, "discrepancies")]

    assert [tuple(row[name] for name in names) for row in told] == on_each_day
    assert [row["in_flight"] for row in told] == [finding == FLYING for finding in on_each_day]


def test_where_a_row_was_last_held_is_remembered_beyond_the_horizon(tmp_path: Path) -> None:
    given = Given(
        [THERE, NOT, NOT, NOT], [THERE, NOT, NOT, NOT], service_holder=SOFT, entity={"horizon": 1},
        legacy_holder={"deletion": say.HardDelete(becomes="flagged")},
    )  # fmt: skip
    job = reconciled(given, tmp_path)
    (finding,) = rows(job, "discrepancies")

    assert (finding["reason"], str(finding["first_seen"])) == ("deletion_became_otherwise", "2026-01-02")
    assert '"there": "2026-01-01"' in str(finding["evidence"])


def test_a_counterpart_that_others_share_need_not_follow(tmp_path: Path) -> None:
    """Two of legacy are one in the service: it follows the last of them; and neither need follow a merged key."""
    two, one = f"{THERE}\n2 | Ada | false", f"{HEAD}\n2 | Ada | false"
    links = say.IdentityTable(
        say.Csv("links.csv"), legacy=("old",), service=("new",), cardinality=say.Cardinality.MANY_TO_ONE
    )
    given = Given(
        [two, one], [THERE, FLAGGED], identity=links, tables={"links": "old | new\n1 | 1\n2 | 1"},
        legacy_holder={"deletion": say.HardDelete(becomes="gone")}, service_holder=SOFT,
    )  # fmt: skip

    assert [finding[:2] + finding[4:] for finding in found(given, tmp_path)] == [("2", "1", "written_by_replica")]


def test_a_row_that_breaks_its_contract_is_not_gone(tmp_path: Path) -> None:
    given = Given(
        [THERE, f"{HEAD}\n1 | | false"], [THERE, FLAGGED], service_holder=SOFT,
        legacy_holder={"deletion": say.HardDelete(becomes="gone"), "contract": Named},
    )  # fmt: skip

    assert found(given, tmp_path) == []


class Named(DataFrameModel):
    """Things of legacy, none of which may be without a name."""

    id: pl.String
    name: pl.String = Column(nullable=False)
    gone: pl.Boolean


def test_a_tombstone_deletes_the_row_of_the_service_that_is_linked(tmp_path: Path) -> None:
    """The event names legacy's row; of the service, the row that was last linked with it, there or not."""
    cases = [
        # legacy  service  what the log says day by day  what must be found of the row on the last day
        (THERE,   THERE,   (QUIET, SCRAPPED),             [OWN]),
        (NOT,     THERE,   (QUIET, SCRAPPED),             []),
        (NOT,     NOT,     (QUIET, SCRAPPED),             []),
        (NOT,     THERE,   (QUIET, QUIET),                [UNTOLD]),
        (FLAGGED, THERE,   (QUIET, SCRAPPED),             []),
        (FLAGGED, THERE,   (QUIET, QUIET),                [UNTOLD]),
        (THERE,   THERE,   (QUIET, QUIET),                []),
    ]  # fmt: skip

    assert on_the_second_day(tmp_path, cases, legacy_holder=SOFT, service_holder=TOLD) == due(cases)


def test_a_row_of_the_service_whose_counterpart_nobody_saw_is_deleted_too(tmp_path: Path) -> None:
    """It came and went in legacy within the first day; the natural key tells which row of the service is meant."""
    unseen = things([NOT] * 2, [THERE] * 2, log=(f"{QUIET}\n{SCRAPPED.split(chr(10))[1]}", QUIET), service_holder=TOLD)

    assert found(unseen, tmp_path) == []


def test_rows_of_the_service_deleted_by_an_event_are_counted_and_remembered(tmp_path: Path) -> None:
    """Their link is gone with legacy's row, and other things have it no more; the one that was made again is alive."""
    both = f"{THERE}\n2 | Ida | false"
    scrapped = f"{SCRAPPED}\n2 | 2 | 2026-01-02T09:00:00Z | 2026-01-02T09:00:01Z | Scrapped |"
    given = things(
        [both, NOT, THERE], [both] * 3, log=(QUIET, scrapped, MADE_AGAIN), service_holder=TOLD
    )  # fmt: skip
    job = reconciled(given, tmp_path)

    (linkage,) = rows(job, "linkage")
    assert (linkage["service_rows"], linkage["service_deleted"], linkage["matched"]) == (2, 1, 1)
    assert rows(job, "discrepancies") == []


CHANGED = f"{QUIET}\n1 | 3 | 2026-01-03T09:00:00Z | 2026-01-03T09:00:01Z | Renamed | Ada"


def test_a_change_after_its_tombstone_says_that_the_row_is_there(tmp_path: Path) -> None:
    """Rows that are there and were changed live again, though nothing made them again; those that are gone do not."""
    cases = [
        # what legacy, the service hold on the third day, what is told then, what must be found
        (THERE, THERE, QUIET,   [LATE]),
        (THERE, THERE, CHANGED, []),
        (THERE, NOT,   QUIET,   []),
        (THERE, NOT,   CHANGED, [("missing_event", "row_never_arrived")]),
        (NOT,   THERE, CHANGED, [LATE]),
        (NOT,   NOT,   CHANGED, []),
    ]  # fmt: skip
    legacy, service, third, on_it = zip(*cases, strict=True)
    given = things(
        by_day([(THERE, THERE, last) for last in legacy]),
        by_day([(THERE, last, last) for last in service]),
        log=tuple(by_day([(QUIET, SCRAPPED, last) for last in third])),
        legacy_holder=TOLD,
    )

    assert reasons(reconciled(given, tmp_path), [3] * len(cases)) == [*on_it]


def test_what_is_found_beside_tombstones_is_explained_and_recounted(tmp_path: Path) -> None:
    """Both sides delete by the same event, and keep the row; another thing has another name in the service."""
    legacy, service = f"{THERE}\n2 | Ida | false", f"{THERE}\n2 | Eva | false"
    given = things(
        [legacy] * 2, [legacy, service], log=(QUIET, SCRAPPED), legacy_holder=TOLD, service_holder=TOLD
    )  # fmt: skip
    job = reconciled(given, tmp_path)
    (finding,) = rows(job, "discrepancies")
    told = explanation.explain(job.lake, Portfolio((job.context,), {}), job.partition, finding)

    assert (finding["legacy_key"], finding["field"]) == ("2", "name")
    assert [(day["legacy"], day["service"]) for day in told.earlier] == [("Ida", "Ida"), ("Ida", "Eva")]
    assert recount.recount(job).agrees


def test_the_row_that_is_gone_is_shown_as_it_was(tmp_path: Path) -> None:
    given = Given(
        [THERE, NOT], [THERE, NOT], service_holder=SOFT, legacy_holder={"deletion": say.HardDelete(becomes="flagged")}
    )
    job = reconciled(given, tmp_path)
    (finding,) = rows(job, "discrepancies")
    told = explanation.explain(job.lake, Portfolio((job.context,), {}), job.partition, finding)

    assert told.counterpart == {
        "side": "legacy", "key": "1", "business_date": "2026-01-01", "row": {"id": "1", "name": "Ada", "gone": False},
    }  # fmt: skip
    assert [(day["legacy"], day["service"]) for day in told.presence] == [(True, True), (False, False)]


@pytest.mark.parametrize(
    ("partitioning", "since", "is_deleted"),
    [
        (say.Daily(FIRST), "2026-01-01", True),
        (say.Daily(FIRST), "2026-01-02", False),
        (say.Monthly(FIRST), "2026-01-02", True),
        (say.Monthly(FIRST), "2026-01-31", True),
        (say.Monthly(FIRST), "2026-02-01", False),
    ],
)
def test_a_tombstone_means_the_rows_that_are_linked_at_the_end_of_the_partition(
    tmp_path: Path, partitioning: say.Partitioning, since: str, *, is_deleted: bool
) -> None:
    identity = say.IdentityTable(say.Csv("links.csv"), legacy=("old",), service=("new",), valid_from="since")
    given = things(
        [HEAD], [THERE.replace("1 |", "A |")], log=(SCRAPPED.replace("01-02T", "01-01T"),), service_holder=TOLD
    )
    given = replace(given, identity=identity, entity={**given.entity, "partitioning": partitioning})
    given = replace(given, tables={**given.tables, "links": f"old | new | since: day\n1 | A | {since}"})

    (linkage,) = rows(reconciled(given, tmp_path), "linkage")

    assert linkage["service_deleted"] == (1 if is_deleted else 0)
