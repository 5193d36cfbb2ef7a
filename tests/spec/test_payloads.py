"""What events tell of fields of every type, as producers write it: numbers with a point, times, documents.

A row moves from its first value to another, which an event tells; the service stays behind. So the log knows of the
change: nothing is missing, nothing was told otherwise. What no text is read as is not held against the log either.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines import declarations as say
from tests.spec.causes import LOG, TELLS, TYPES
from tests.spec.given import Given, reconciled, rows

# Type, value before, value after, and what an event tells of it, as JSON.
READ = [
    ("text", "Ada", "Ida", '"Ida"'),
    ("int", "1", "5", "5"),
    ("int", "1", "5", '"5"'),
    ("int", "1", "500", "5.0e2"),
    ("int32", "1", "5", "5.0"),
    ("byte", "1", "255", "255"),
    ("uint", "1", "18446744073709551615", "18446744073709551615"),
    ("int128", "1", "-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"),
    ("float", "0.1", "0.3", "0.3"),
    ("float32", "0.1", "0.3", "0.3"),
    ("decimal(12,2)", "1.00", "12.50", "12.50"),
    ("decimal(12,2)", "1.00", "12.50", '"12.5"'),
    ("decimal(19,2)", "1.00", "12345678901234567.89", "12345678901234567.89"),
    ("decimal(38,20)", "1.0", "-0.12345678901234567891", "-0.12345678901234567891"),
    ("bool", "true", "false", "false"),
    ("day", "2026-01-01", "2026-01-02", '"2026-01-02"'),
    ("day", "2026-01-01", "2026-01-02", '"2026-01-02T00:00:00"'),
    ("time", "10:00:00", "11:30:00", '"11:30"'),
    ("wall", "2026-01-01T10:00:00", "2026-01-02T10:00:00", '"2026-01-02T10:00:00"'),
    ("wall ms", "2026-01-01T10:00:00", "2026-01-02T10:00:00", '"2026-01-02T10:00:00"'),
    ("instant", "2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z", '"2026-01-02T12:00:00+02:00"'),
]
NOT_READ = [
    ("seconds", "1", "2", '"PT2S"'),
    ("bytes", "00ff", "ff00", '"ff00"'),
    ("list of int", "[1]", "[1,2]", "[1, 2]"),
    ("a and b", '{"a":1,"b":"x"}', '{"a":2,"b":"x"}', '{"a": 2, "b": "x"}'),
]


def of(columns, *, shows=None, **field):
    """A world of one row with these columns (type, before, after, told), of which an event tells what is after."""
    header = " | ".join(f"f{at}: {kind}" for at, (kind, *_) in enumerate(columns))
    before, after = (" | ".join(column[at] and f"'{column[at]}'" for column in columns) for at in (1, 2))
    told = ", ".join(f'"f{at}": {tells}' for at, (*_, tells) in enumerate(columns))
    event = f"1 | 2 | 2026-01-02T08:00:00Z | 2026-01-02T08:00:01Z | Renamed | '{{{told}}}'"
    days = [f"id | {header}\n1 | {held}" for held in (before, after, before)]
    return Given(
        days[:2],
        [days[0], days[2] if shows is None else f"id | {header}\n1 | {shows}"],
        rules=tuple(say.Field(f"f{at}", say.Same(f"f{at}"), say.Exact(), **field) for at in range(len(columns))),
        tables={"events_2026-01-01": TELLS, "events_2026-01-02": f"{TELLS}\n{event}"},
        entity={"events": replace(LOG, payload="tells")},
        context={"event_types": TYPES},
    )


@pytest.mark.parametrize("columns", [READ, NOT_READ])
def test_what_an_event_tells_is_not_missing(tmp_path, columns):
    job = reconciled(of(columns), tmp_path)

    found = rows(job, "discrepancies")
    assert len(found) == len(columns)
    assert {(row["type"], row["reason"]) for row in found} == {("stale_replica", "behind_beyond_lag")}
    assert rows(job, "fold_findings") == []


@pytest.mark.parametrize("kind", ["int", "decimal(12,2)", "day", "list of int"])
def test_what_cannot_be_read_is_not_what_a_missing_value_is(tmp_path, kind):
    """The service shows nothing, and no event told nothing."""
    held = {"day": ("2026-01-01", "2026-01-02"), "list of int": ("[1]", "[2]")}.get(kind, ("1", "2"))
    job = reconciled(of([(kind, *held, '"2,00"')], shows=""), tmp_path)

    assert [(row["type"], row["evidence"]) for row in rows(job, "discrepancies")] == [("unexplained", "{}")]


@pytest.mark.parametrize(
    ("kind", "held", "told"),
    [
        ("day", ("2026-01-01", "2026-01-02"), "2026-01-02T23:30:00"),
        ("day", ("2026-01-01", "2026-01-02"), "2026-1-2"),
        ("wall", ("2026-01-01T10:00:00", "2026-01-01T10:00:00.123456"), "2026-01-01T10:00:00.1234567"),
        ("instant", ("2026-01-01T10:00:00Z", "2026-01-01T09:00:00Z"), "2026-01-01 10:00:00 Europe/Berlin"),
        ("instant", ("2026-01-01T10:00:00Z", "1970-01-01T00:00:00Z"), "epoch"),
    ],
)
def test_what_says_more_or_less_than_the_value_is_not_read_as_it(tmp_path, kind, held, told):
    """The event did not tell what the service does not show: so nothing says that the service is merely behind."""
    job = reconciled(of([(kind, *held, f'"{told}"')]), tmp_path)

    assert [row["problem"] for row in rows(job, "fold_findings")] == ["told_otherwise"]


def test_a_sentinel_tells_that_the_value_is_missing(tmp_path):
    """Legacy has lost its number; the event tells it as the service writes it, and the service is behind."""
    job = reconciled(of([("int", "7", "", "-1")], missing=say.Missing(sentinels=("-1",))), tmp_path)

    assert [row["type"] for row in rows(job, "discrepancies")] == ["stale_replica"]
    assert rows(job, "fold_findings") == []


@pytest.mark.parametrize(
    ("event", "problems"),
    [
        ("", []),
        ('1 | 2 | 2026-01-02T08:00:00Z | 2026-01-02T08:00:01Z | Renamed | \'{"name": "Eve"}\'', ["told_otherwise"]),
    ],
)
def test_what_legacy_showed_is_not_held_against_the_log_where_the_service_is_right(tmp_path, event, problems):
    """Legacy has been wrong all along: nothing has changed that an event could have told."""
    given = Given(
        ["id | name\n1 | Ada"] * 2,
        ["id | name\n1 | Ida"] * 2,
        rules=(say.Field("name", say.Same("name"), say.Exact(), system_of_record=say.Side.SERVICE),),
        tables={"events_2026-01-01": TELLS, "events_2026-01-02": f"{TELLS}\n{event}"},
        entity={"events": replace(LOG, payload="tells")},
        context={"event_types": TYPES},
    )

    assert [row["problem"] for row in rows(reconciled(given, tmp_path), "fold_findings")] == problems
