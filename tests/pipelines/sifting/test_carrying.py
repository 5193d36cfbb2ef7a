"""What is carried from an earlier run, from which, and when not; that nothing of a row escapes its bucket."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from pipelines import declarations as say
from pipelines import sifting
from pipelines.declarations import Side
from pipelines.job import Job
from pipelines.reconciliation import find_discrepancies
from pipelines.sifting import carrying
from pipelines.sifting.sieve import Carried
from pipelines.types import INT128
from tests.spec.given import Given, reconciled, rows

ROWS = 100  # each in a bucket of its own
FIELDS = (say.Field("name", say.Same("name"), say.Exact()),)


@pytest.fixture(autouse=True)
def _by_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    monkeypatch.setenv("COEXIST_SIEVE", "digests")


def held(*, differing: int = 0, notes: int = 0) -> tuple[pa.Table, pa.Table]:
    """Both sides: every fortieth row differs, and so do so many more; of so many others the note is another."""
    ids = list(range(ROWS))
    names = [f"{n}{'!' if n % 40 == 0 or n < differing else ''}" for n in ids]
    note = [f"{n}{'?' if n < notes else ''}" for n in ids]
    legacy = pa.table({"id": ids, "name": list(map(str, ids)), "note": note})
    return legacy, pa.table({"id": ids, "name": names})


def taken(folder: Path, *days: tuple[pa.Table, pa.Table]) -> Job:
    """These days reconciled, one after the other."""
    legacy, service = ([day[at] for day in days] for at in (0, 1))
    return reconciled(Given(legacy, service, rules=FIELDS, entity={"dropped": {"note": "A remark"}}), folder)


def found(job: Job) -> Carried | None:
    return carrying.find(job, {side: sifting.held(job, side) for side in Side})


def test_buckets_that_hold_what_they_held_are_carried(tmp_path: Path) -> None:
    first = taken(tmp_path, held(), held(differing=3))
    carried = found(first)
    assert carried is not None
    assert len(carried.buckets) == ROWS, "to what it left itself"

    # Changed are the names of 3 and 4, and the notes of twenty rows.
    job = taken(tmp_path, held(), held(differing=3), held(differing=5, notes=20))
    carried = carrying.find(replace(job, partition="2026-01-02"), {side: sifting.held(job, side) for side in Side})

    assert carried is not None
    assert len(carried.buckets) == ROWS - 20
    assert carried.known == 2, "40 and 80"
    assert carried.pairs == ROWS - 20 - 2
    assert {row["id"] for row in carried.at_hand(Side.SERVICE).read_all().to_pylist()} == {40, 80}


def test_rows_are_kept_once_most_buckets_have_stood(tmp_path: Path) -> None:
    def kept(name: str, *days: tuple[pa.Table, pa.Table]) -> list[str]:
        folder = tmp_path / name
        folder.mkdir()
        return taken(folder, *days).lake.partitions("spec", "things", "legacy_at_hand")

    assert kept("first", held()) == []
    assert kept("other", held(), held(differing=ROWS // 2)) == []
    assert kept("many", *[held(differing=ROWS // 2)] * 2) == [], "that remain"
    assert kept("same", held(), held(differing=2)) == ["2026-01-02"]


def test_a_partition_taken_again_carries_too(tmp_path: Path) -> None:
    for day in (held(), held(differing=3)):
        taken(tmp_path, day)
    job = taken(tmp_path, held(differing=6))

    assert found(job) is not None
    assert {row["legacy_key"] for row in rows(job, "discrepancies")} == {*"012345", "40", "80"}


@pytest.mark.parametrize("changed", [held(notes=ROWS // 2), held(differing=ROWS // 2)])
def test_nothing_is_carried_where_much_has_changed(tmp_path: Path, changed: tuple[pa.Table, pa.Table]) -> None:
    job = taken(tmp_path, held(), held())
    assert found(job) is not None

    assert found(taken(tmp_path, held(), held(), changed)) is None


def test_nothing_is_carried_by_other_code_or_other_declarations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = taken(tmp_path, held(), held())
    fields = (replace(FIELDS[0], compare=say.Text(trim=True)),)
    assert found(job) is not None

    assert found(replace(job, entity=replace(job.entity, fields=fields))) is None
    monkeypatch.setattr(carrying, "package_version", lambda: "another")
    assert found(job) is None


def test_nothing_is_carried_when_what_passed_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = taken(tmp_path, held(), held())
    monkeypatch.setenv("COEXIST_VERIFY", "1")
    monkeypatch.setattr(carrying, "find", None)

    assert find_discrepancies(replace(job, run_id="again"))["discrepancies"].run_id == "again"


def test_nothing_is_carried_from_tables_of_several_runs(tmp_path: Path) -> None:
    job = taken(tmp_path, held(), held())
    address = job.address("service_at_hand")
    with job.lake.transaction("another") as transaction:
        transaction.write(address, pa.table({"id": [1]}), code_version=job.read("service_at_hand").code_version)

    assert found(job) is None


VALUES: dict[str, tuple[pa.DataType, list[object]]] = {
    "text": (pa.string(), ["a", "", None, "a ", "None"]),
    "number": (pa.int64(), [0, 1, None, -1, 2**53, 2**53 + 1]),
    "byte": (pa.uint8(), [0, 255, None]),
    "large": (INT128, ["0", str(2**100), str(2**100 + 1), None]),
    "float": (pa.float64(), [0.0, -0.0, float("nan"), None, 1.0]),
    "single": (pa.float32(), [0.0, -0.0, float("nan"), None]),
    "amount": (pa.decimal128(38, 2), [Decimal("0.00"), Decimal("1.10"), None]),
    "flag": (pa.bool_(), [False, True, None]),
    "day": (pa.date32(), [date(1970, 1, 1), date(2026, 1, 1), None]),
    "hour": (pa.time64("us"), [time(0), time(0, 0, 0, 1), None]),
    "moment": (pa.timestamp("us", "UTC"), [datetime(1970, 1, 1), datetime(1970, 1, 1, 0, 0, 0, 1), None]),  # noqa: DTZ001
    "wait": (pa.duration("us"), [timedelta(0), timedelta(days=30), timedelta(microseconds=1), None]),
    "bytes": (pa.binary(), [b"", b"\x00", b"\\x00", None]),
}


SINGLE = [(kind, value) for kind, (_, values) in VALUES.items() for value in values]


def told_of_rows(*, each: bool) -> pa.Table:
    """A row for each value of each type, in a column that no field is made from; or all with the first of each type."""
    columns = {
        kind: [value if each and kind == of else values[0] for of, value in SINGLE]
        for kind, (_, values) in VALUES.items()
    }
    same = {"id": list(range(len(SINGLE))), "name": ["same"] * len(SINGLE), "gone": [True] * len(SINGLE)}
    return pa.table(same | {kind: pa.array(column, VALUES[kind][0]) for kind, column in columns.items()})


def digests_by_id(job: Job) -> dict[object, tuple[object, object]]:
    """What the bucket of each row of legacy holds."""
    ids = [row["id"] for row in rows(job, "legacy")]
    in_order = [ids[row["position"]] for row in rows(job, "legacy_digests")]
    return {in_order[row["first"]]: (row["held_1"], row["held_2"]) for row in rows(job, "legacy_buckets")}


@pytest.mark.parametrize("soft", [False, True])
def test_every_value_of_a_row_counts(tmp_path: Path, *, soft: bool) -> None:
    """Whether rows are always live or not."""
    first, legacy = told_of_rows(each=False), told_of_rows(each=True)
    service = legacy.select(["id", "name"])
    given = Given(
        [first, legacy, legacy.take(list(range(len(SINGLE)))[::-1])], [service] * 3, rules=FIELDS,
        entity={"dropped": dict.fromkeys([*VALUES, "gone"], "Nobody asks")},
        legacy_holder={"deletion": say.SoftDelete("gone")} if soft else {},
    )  # fmt: skip
    job = reconciled(given, tmp_path)
    before, after, in_other_order = (
        digests_by_id(replace(job, partition=key)) for key in ("2026-01-01", "2026-01-02", "2026-01-03")
    )

    assert before.keys() == after.keys() == set(range(len(SINGLE))), "a bucket each"
    assert [SINGLE[number] for number in sorted(after) if after[number] == before[number]] == [
        (kind, values[0]) for kind, (_, values) in VALUES.items()
    ]
    assert in_other_order == after, "the order of rows does not count"


def test_values_are_kept_as_they_are(tmp_path: Path) -> None:
    columns = {name: pa.array([values[0]] * ROWS, type_) for name, (type_, values) in VALUES.items()}
    columns |= {
        name: pa.array([values[1]] * ROWS, type_) for name, (type_, values) in VALUES.items() if name == "large"
    }
    legacy, service = held()
    more = pa.table({**{name: legacy[name] for name in ("id", "name")}, **columns})
    dropped = {"dropped": dict.fromkeys(VALUES, "Nobody asks")}
    job = reconciled(Given([more, more], [service, service], rules=FIELDS, entity=dropped), tmp_path)

    kept = pl.DataFrame(rows(job, "legacy_at_hand")).filter(pl.col("id") == 40).row(0, named=True)
    assert kept["large"] == str(2**100)
    assert (kept["wait"], kept["bytes"], kept["hour"]) == (0, b"", time(0))
