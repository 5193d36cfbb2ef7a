"""The audit: what is planted in a copy is found, the lake is only read, and what goes wrong is told as it is."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from pipelines import audit, causes
from pipelines.audit import figures, lives
from pipelines.audit.figures import Floor, Planted
from pipelines.audit.kinds import KINDS, NO_ROOM
from pipelines.audit.planting import Damage
from pipelines.declarations import (
    Amount,
    Csv,
    Decode,
    Exact,
    Field,
    HardDelete,
    IdentityTable,
    Same,
    Scale,
    SoftDelete,
    Text,
    Tombstone,
)
from tests.spec.causes import LOG, QUIET, TYPES
from tests.spec.given import Given, reconciled

WORDS = ("ACTIVE", "LAPSED", "CLOSED")
CITIES = ("Aachen", "Bremen", "Chemnitz", "Dortmund", "Erfurt", "Frankfurt", "Goslar", "Hamburg")
STREETS = ("Lindenallee", "Marktplatz", "Nordstrasse", "Ostendweg", "Parkstrasse")
ROWS = 130


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """Things on three days, all in order."""
    rows = [
        (f"{n:04}", n % 3, CITIES[n % 8], f"{STREETS[n % 5]} {n}", 1000 + 37 * n) for n in range(ROWS)
    ]  # fmt: skip
    legacy = "id | code | city | street | cents: int\n" + "\n".join(
        f"{key} | {'ALC'[kind]} | {city} | {street} | {cents}" for key, kind, city, street, cents in rows
    )
    service = "uid | kind | city | street | amount: decimal(12,2)\n" + "\n".join(
        f"s{key} | {WORDS[kind]} | {city} | {street} | {cents / 100:.2f}" for key, kind, city, street, cents in rows
    )
    links = "old | new\n" + "\n".join(f"{key} | s{key}" for key, *_ in rows)
    codes = dict(zip("ALC", WORDS, strict=True))
    given = Given(
        legacy=[legacy] * 3,
        service=[service] * 3,
        service_key=("uid",),
        identity=IdentityTable(Csv("links.csv"), legacy=("old",), service=("new",)),
        tables={"links": links},
        rules=(
            Field("kind", Decode("code", codes), Exact(), earlier={"1": Decode("code", codes | {"L": "DORMANT"})}),
            Field("city", Same("city"), Text()),
            Field("street", Same("street"), Text()),
            Field("amount", Scale("cents", "0.01", precision=12), Amount()),
        ),
        entity={"translation_version": "2"},
    )
    return reconciled(given, tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="module")
def audited(job):
    return audit.audit(job, seed=1)


def contents(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_everything_planted_is_found_and_nothing_else(audited):
    assert audited.confusion.keys() == {(cause, cause) for cause, _ in audited.confusion}
    assert {planted.partition(": ")[2] for planted, _ in audited.confusion} == {
        "older_translation", "regressed_to_older_value", "behind_beyond_lag", "untranslatable", "unit_or_scale",
        "swapped_fields", "truncated", "format_only", "written_by_replica", "no_evidence", "unmapped", "dangling",
        "ambiguous", "cardinality_violated", "duplicate_key", "null_key", "pending_row", "deletion_not_propagated",
        "rebirth",
    }  # fmt: skip
    assert all(row["recall"] == row["precision"] == 1 for row in audited.rows if row["planted"])


def test_every_cause_is_planted_or_it_is_said_why_not(audited):
    known = {f"{row['type']}: {row['reason']}" for row in causes.precedence().to_pylist()}
    planted = {wanted for wanted, _ in audited.confusion}

    assert planted | audited.unplanted.keys() == known
    assert not planted & audited.unplanted.keys()
    assert audited.unplanted["missing_event: sequence_gap"] == "no event log is declared for this partition"
    assert audited.unplanted["invalid_transformation: systematic_pattern"] == NO_ROOM
    said = {f"{row['type']}: {row['reason']}": row["not_planted_because"] for row in audited.rows}
    assert said == audited.unplanted | dict.fromkeys(planted)


@pytest.mark.slow
def test_everything_planted_is_found_where_events_delete(tmp_path):
    """The whole audit of things that both sides delete by tombstones, noise and all."""
    rows = "\n".join(f"{n:04} | Thing {n} of {n * 7919}" for n in range(ROWS))
    quiet = {f"events_2026-01-0{day}": QUIET for day in (1, 2, 3)}
    told = {"deletion": Tombstone("Scrapped", becomes="gone")}
    given = Given(
        [f"id | name\n{rows}"] * 3, [f"id | name\n{rows}"] * 3, tables=quiet, legacy_holder=told, service_holder=told,
        entity={"events": LOG}, context={"event_types": TYPES},
    )  # fmt: skip
    audited = audit.audit(reconciled(given, tmp_path), seed=1)

    assert audited.confusion.keys() == {(cause, cause) for cause, _ in audited.confusion}
    assert {(row["noise_pairs"], row["noise_findings"]) for row in audited.rows} == {(ROWS, 0)}


def test_with_an_event_log_what_it_tells_and_what_it_does_not(tmp_path):
    """A log that has told nothing of any row for three days, and is copied and damaged like the rows."""
    names = "\n".join(f"{n:04} | Thing {n} of {n * 7919} | Town {n * 6007}" for n in range(ROWS))
    held = [f"id | name | town\n{names}"] * 3
    log = replace(LOG, payload={"name": "name", "town": "town"})
    quiet = {f"events_2026-01-0{day}": f"{QUIET} | town" for day in (1, 2, 3)}
    fields = tuple(Field(name, Same(name), Text()) for name in ("name", "town"))
    lag = {"allowed_lag": timedelta(hours=2)}
    logged = {"entity": {"events": log} | lag, "context": {"event_types": TYPES}}
    given = Given(held, held, tables=quiet, rules=fields, **logged)

    audited = audit.audit(reconciled(given, tmp_path), seed=1)

    assert audited.confusion.keys() == {(cause, cause) for cause, _ in audited.confusion}
    assert {planted.partition(": ")[2] for planted, _ in audited.confusion} >= {
        "sequence_gap", "change_without_event", "event_not_applied", "row_never_arrived", "deletion_without_event",
        "older_event_applied_last", "behind_beyond_lag", "behind_within_lag", "pending_row",
        "deletion_not_propagated", "rebirth",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("legacy", "service", "planted"),
    [
        (HardDelete(becomes="flagged"), SoftDelete("gone"), 5),
        (HardDelete(becomes="gone"), Tombstone("Scrapped"), 5),
        (HardDelete(becomes="gone"), HardDelete(), 0),
        (SoftDelete("gone", becomes="gone"), HardDelete(becomes="flagged"), 5),
        (Tombstone("Scrapped", becomes="flagged"), SoftDelete("gone"), 5),
        (SoftDelete("gone", becomes="flagged"), SoftDelete("gone"), 0),
    ],
)
def test_deletions_that_became_otherwise(tmp_path, monkeypatch, legacy, service, planted):
    """However both sides delete; where it cannot go wrong, or natural keys give no link to ask by, that is said."""
    monkeypatch.setattr(audit, "KINDS", [kind for kind in KINDS if kind.cause[1] == "deletion_became_otherwise"])
    rows = [f"{n:04} | Thing {n} of {n * 7919} | false" for n in range(30)]
    flagged = [[*rows, f"{key} | Old | true"] for key in ("L", "S")]
    held = [["\n".join(["id | name | gone: bool", *lines])] * 3 for lines in flagged]
    quiet = {f"events_2026-01-0{day}": QUIET for day in (1, 2, 3)}
    given = Given(
        *held, tables=quiet, legacy_holder={"deletion": legacy}, service_holder={"deletion": service},
        entity={"events": LOG}, context={"event_types": TYPES},
    )  # fmt: skip
    audited = audit.audit(reconciled(given, tmp_path), seed=1)

    cause = "invalid_transformation: deletion_became_otherwise"
    assert audited.confusion[cause, cause] == planted
    assert audited.confusion.keys() == {(found, found) for found, _ in audited.confusion}
    assert (cause in audited.unplanted) is not bool(planted)


def test_legacy_against_legacy_shows_nothing(audited):
    assert {(row["noise_pairs"], row["noise_findings"]) for row in audited.rows} == {(ROWS, 0)}


def test_the_lake_is_only_read(job):
    before = contents(job.lake.root)
    audited = audit.audit(job, seed=2)
    assert contents(job.lake.root) == before

    audit.record(job, audited)
    added = contents(job.lake.root).keys() - before.keys()
    assert added == {
        f"spec/things/audits/business_date={job.partition}/{name}" for name in ("audits.parquet", "_manifest.json")
    }


def test_the_same_seed_plants_the_same(job, audited):
    again = audit.audit(job, seed=1)

    assert again.confusion == audited.confusion


def test_what_is_missed_mistaken_or_made_up_is_told():
    planted = [
        Planted("1", "s1", "a", "stale_replica", "behind_beyond_lag"),
        Planted("2", "s2", "a", "stale_replica", "behind_beyond_lag"),
        Planted("3", "s3", None, "key_linkage", "dangling"),
    ]
    found = Counter(
        [
            ("1", "s1", "a", "stale_replica", "behind_beyond_lag"),
            ("2", "s2", "a", "unexplained", "no_evidence"),
            ("4", "s4", "b", "unexplained", "no_evidence"),
        ]
    )

    matrix = figures.confusion(planted, found)

    assert matrix == {
        ("stale_replica: behind_beyond_lag", "stale_replica: behind_beyond_lag"): 1,
        ("stale_replica: behind_beyond_lag", "unexplained: no_evidence"): 1,
        ("key_linkage: dangling", "nothing"): 1,
        ("nothing", "unexplained: no_evidence"): 1,
    }


def test_figures_of_a_confusion(job):
    matrix = Counter({
        ("stale_replica: behind_beyond_lag", "stale_replica: behind_beyond_lag"): 3,
        ("stale_replica: behind_beyond_lag", "unexplained: no_evidence"): 1,
        ("nothing", "stale_replica: behind_beyond_lag"): 1,
    })  # fmt: skip
    shown = ("reason", "planted", "found", "correct", "detected", "recall", "precision", "noise_findings")

    rows = figures.rows(job, 1, matrix, Floor(10, 2), {})

    assert [tuple(row[name] for name in shown) for row in rows] == [
        ("behind_beyond_lag", 4, 4, 3, 4, 0.75, 0.75, 2),
        ("no_evidence", 0, 1, 0, 0, None, 0.0, 2),
    ]


def test_a_key_without_a_part_that_is_there_already_is_not_planted_again():
    """It would be the finding that is there, with one more row: nothing new, and taken for missed."""
    holder = SimpleNamespace(key=("region", "number"))
    trials = SimpleNamespace(missable_key=["number"], entity=SimpleNamespace(legacy=holder))
    victim = SimpleNamespace(legacy_key="N|7")
    there = {(r"N|\N", None, None, "key_linkage", "null_key")}

    assert not lives.null_key(Damage(None, there), trials, victim, None)
