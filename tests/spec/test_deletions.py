"""How each side says that a row is deleted, and what must follow on the other; told and untold; back again; in flight.

One thing is there on the first day. What both sides hold on the second is said in a line each.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines import declarations as say
from pipelines import ruling
from pipelines.portfolio import Portfolio
from tests.spec.causes import LOG, QUIET, TYPES
from tests.spec.given import Given, found, reconciled, rows

HEAD = "id | name | gone: bool"
THERE, FLAGGED, NOT = f"{HEAD}\n1 | Ada | false", f"{HEAD}\n1 | Ada | true", HEAD
SCRAPPED = f"{QUIET}\n1 | 2 | 2026-01-02T09:00:00Z | 2026-01-02T09:00:01Z | Scrapped |"
SOFT = {"deletion": say.SoftDelete("gone")}
TOLD = {"deletion": say.Tombstone("Scrapped")}
LATE, UNTOLD = ("stale_replica", "deletion_not_propagated"), ("missing_event", "deletion_without_event")
OWN = ("semantic_contradiction", "written_by_replica")


def things(
    legacy: list[str], service: list[str], *, log: tuple[str, ...] = (), lag: int = 0, **holders: object
) -> Given:
    """Rows day by day, with a log if there is one; `lag` hours are allowed."""
    entity: dict[str, object] = {"allowed_lag": timedelta(hours=lag)} | ({"events": LOG} if log else {})
    tables = {f"events_2026-01-0{day}": held for day, held in enumerate(log, 1)}
    return Given(legacy, service, entity=entity, tables=tables, context={"event_types": TYPES}, **holders)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("legacy", "service", "log", "found_on_it"),
    [
        # legacy  service  what the log says    what must be found of the row
        (NOT,     NOT,     (),                  []),
        (NOT,     THERE,   (),                  [LATE]),
        (NOT,     THERE,   (QUIET, SCRAPPED),   [LATE]),
        (NOT,     THERE,   (QUIET, QUIET),      [UNTOLD]),
        (FLAGGED, NOT,     (),                  []),
        (FLAGGED, FLAGGED, (),                  []),
        (FLAGGED, THERE,   (),                  [LATE]),
        (FLAGGED, THERE,   (QUIET, QUIET),      [UNTOLD]),
        (NOT,     FLAGGED, (QUIET, SCRAPPED),   []),
        (THERE,   FLAGGED, (),                  [OWN]),
    ],
)  # fmt: skip
def test_gone_or_flagged_on_either_side(tmp_path, legacy, service, log, found_on_it):
    given = things([THERE, legacy], [THERE, service], log=log, legacy_holder=SOFT, service_holder=SOFT)

    assert [tuple(finding[3:]) for finding in found(given, tmp_path)] == found_on_it


MADE_AGAIN = f"{QUIET}\n1 | 3 | 2026-01-03T09:00:00Z | 2026-01-03T09:00:01Z | Made | Ada"
BORN_LATE = f"{QUIET}\n1 | 1 | 2026-01-02T10:00:00Z | 2026-01-02T10:00:01Z | Made | Ada"


@pytest.mark.parametrize(
    ("legacy", "service", "log", "found_on_it"),
    [
        # legacy  service  what the log says day by day         what must be found of the row on the last day
        (THERE,   THERE,   (QUIET, QUIET),                       []),
        (THERE,   THERE,   (QUIET, SCRAPPED),                    [LATE]),
        (NOT,     THERE,   (QUIET, SCRAPPED),                    [LATE]),
        (NOT,     THERE,   (QUIET, QUIET),                       [UNTOLD]),
        (THERE,   NOT,     (QUIET, SCRAPPED),                    []),
        (THERE,   FLAGGED, (QUIET, SCRAPPED),                    []),
        (NOT,     NOT,     (QUIET, SCRAPPED),                    []),
        (THERE,   THERE,   (QUIET, f"{SCRAPPED}{BORN_LATE[len(QUIET):]}"), [LATE]),
    ],
)  # fmt: skip
def test_a_tombstone_deletes_the_row_that_is_still_there(tmp_path, legacy, service, log, found_on_it):
    """Of events that say whether a row is there the last one by number counts, whenever it was recorded."""
    given = things([THERE, legacy], [THERE, service], log=log, legacy_holder=TOLD, service_holder=SOFT)

    assert [tuple(finding[3:]) for finding in found(given, tmp_path)] == found_on_it


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


LINKED = say.IdentityTable(say.Csv("links.csv"), legacy=("old",), service=("new",))


@pytest.mark.parametrize(
    ("becomes", "legacy", "service", "is_wrong"),
    [
        # what legacy's deletion must become, what both hold, whether that is something else
        ("gone",    FLAGGED, FLAGGED, True),
        ("gone",    FLAGGED, NOT,     False),
        ("flagged", FLAGGED, FLAGGED, False),
        ("flagged", FLAGGED, NOT,     True),
        ("",        FLAGGED, FLAGGED, False),
        ("",        FLAGGED, NOT,     False),
        ("gone",    THERE,   THERE,   False),
        ("flagged", THERE,   THERE,   False),
        ("flagged", NOT,     NOT,     False),
    ],
)  # fmt: skip
def test_what_a_deletion_must_become(tmp_path, becomes, legacy, service, is_wrong):
    given = Given(
        legacy, service, identity=LINKED, tables={"links": "old | new\n1 | 1"},
        legacy_holder={"deletion": say.SoftDelete("gone", becomes=becomes)}, service_holder=SOFT,
    )  # fmt: skip
    wrong = ("1", "1", None, "invalid_transformation", "deletion_became_otherwise")

    assert found(given, tmp_path) == ([wrong] if is_wrong else [])


def test_what_a_tombstone_must_become(tmp_path: Path) -> None:
    """Legacy still holds what an event deleted, the service has flagged it, and was to drop it."""
    told = {"deletion": say.Tombstone("Scrapped", becomes="gone")}
    given = things([THERE, THERE], [THERE, FLAGGED], log=(QUIET, SCRAPPED), legacy_holder=told, service_holder=SOFT)

    assert found(given, tmp_path) == [("1", "1", None, "invalid_transformation", "deletion_became_otherwise")]
