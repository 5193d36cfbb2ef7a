"""Snapshots: one side's rows from its source into the lake, valid and rejected, together or not at all."""

import json
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import pandera.polars as pandera
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import stamina
from pandera.engines import polars_engine
from pandera.polars import DataFrameModel, Field

from pipelines import contract, snapshot, unpacked
from pipelines.declarations import (
    Column,
    Context,
    Csv,
    Daily,
    Entity,
    Exact,
    FixedWidth,
    Holder,
    Monthly,
    NaturalKey,
    Owner,
    ParquetFile,
    Same,
    Side,
)
from pipelines.declarations import Field as DeclaredField
from pipelines.errors import IntegrityError, SourceError
from pipelines.lake import Address, Lake
from pipelines.sources.source import REJECTED, Batch, Place, Reading, Source

ROOT = Path(__file__).parents[2]
DAY = "2026-03-20"
LEGACY = Address("policy", "policies", "legacy", DAY)
REFUSED = Address("policy", "policies", "legacy_rejected", DAY)


class Policy(DataFrameModel):
    """One row per policy."""

    policy_id: pl.Int64 = Field(ge=1, description="Number of the policy")
    status: pl.String = Field(isin=["ACTIVE", "LAPSED"])
    premium: Annotated[polars_engine.Decimal, 12, 2] = Field(nullable=True)

    class Config(pandera.DataFrameModel.Config):
        metadata = {"version": "3"}  # noqa: RUF012 (Pandera's own protocol)


CONTENT = "policy_id,status,premium,note\n1,ACTIVE,10.00,x\n2,LAPSED,,x\n3,ACTIVE,7.5,x\n"
BAD = CONTENT + "x,ACTIVE,1,x\n0,ACTIVE,1,x\n6,DEAD,1,x\n7,,1,x\n8,ACTIVE,1.005,x\n9,ACTIVE\n10,ACTIVE,10,x\n"


def entity_of(source, model=Policy, **about):
    holder = Holder(source=source, contract=model, key=("policy_id",))
    return Entity(
        "policies", description="Policies", owner=Owner("policy"), legacy=holder, service=holder,
        identity=NaturalKey((Same("policy_id"),), (Same("policy_id"),)),
        fields=(DeclaredField("policy_id", Same("policy_id"), Exact()),), **about,
    )  # fmt: skip


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


@pytest.fixture
def take(tmp_path, lake):
    """Take a snapshot from a source whose files are in `tmp_path`."""

    def taken(source, *, side=Side.LEGACY, run_id="run 1", **about):
        entity = entity_of(source, **about)
        context = Context(
            "policy", description="Policies", owner=Owner("policy"), partitioning=Daily(date(2026, 3, 1)),
            entities=(entity,), root=tmp_path,
        )  # fmt: skip
        return snapshot.take(entity, side, context=context, partition=DAY, lake=lake, run_id=run_id)

    return taken


@pytest.fixture
def policies(tmp_path):
    """A CSV file with this content, as a source."""

    def put(content=CONTENT):
        (tmp_path / f"policies-{DAY}.csv").write_text(content)
        return Csv("policies-{date}.csv")

    return put


def rows(lake, address=LEGACY):
    with pq.ParquetFile(lake.file(address)) as file:
        return file.read().to_pylist()


def test_rows_that_keep_the_contract_become_the_sides_table(take, policies, lake):
    taken = take(policies())

    assert [tuple(row.values()) for row in rows(lake)] == [
        (1, "ACTIVE", Decimal("10.00")),
        (2, "LAPSED", None),
        (3, "ACTIVE", Decimal("7.50")),
    ]
    assert rows(lake, REFUSED) == []
    assert taken.manifest == lake.manifest(LEGACY)
    assert taken.rejected == lake.manifest(REFUSED)
    assert taken.manifest.notes == {"rows_in": 3, "rejected": 0, "undeclared": ["note"]}
    assert taken.manifest.watermark == datetime(2026, 3, 21, tzinfo=UTC)
    assert taken.manifest.run_id == "run 1"


def test_the_file_is_exactly_the_contract(take, policies, lake):
    take(policies())

    held = pq.read_schema(lake.file(LEGACY))
    assert held.equals(contract.schema_of(Policy), check_metadata=True)
    assert json.loads(pq.read_metadata(lake.file(LEGACY)).metadata[b"coexist.columns"]) == {
        "policy_id": "Number of the policy"
    }
    assert pq.read_schema(lake.file(REFUSED)).names == REJECTED.names


def test_a_snapshot_that_few_rows_will_be_looked_for_in_is_kept_unpacked_as_well(take, policies, lake, monkeypatch):
    take(policies())
    assert not lake.file(LEGACY).with_suffix(".arrow").exists()

    monkeypatch.setenv("COEXIST_SIEVE_FROM", "3")
    take(policies(BAD))
    assert lake.file(LEGACY).with_suffix(".arrow").exists()
    assert not lake.file(REFUSED).with_suffix(".arrow").exists()
    assert unpacked.beside(lake.file(LEGACY)).file.read_all().to_pylist() == rows(lake)


def test_each_side_has_its_own_table(take, policies, lake):
    take(policies(), side=Side.SERVICE)

    assert lake.addresses("service") == [replace(LEGACY, stage="service")]
    assert lake.addresses("service_rejected") == [replace(LEGACY, stage="service_rejected")]
    assert lake.addresses("legacy") == []


def test_every_bad_row_is_kept_with_its_reason(take, policies, lake):
    taken = take(policies(BAD))

    assert [row["policy_id"] for row in rows(lake)] == [1, 2, 3, 10]
    assert [tuple(row.values())[:3] for row in sorted(rows(lake, REFUSED), key=lambda row: row["row_number"])] == [
        (4, "type", "policy_id"),
        (5, "greater_than_or_equal_to", "policy_id"),
        (6, "isin", "status"),
        (7, "not_nullable", "status"),
        (8, "type", "premium"),
        (9, "record", None),
    ]
    assert taken.manifest.notes == {"rows_in": 10, "rejected": 6, "undeclared": ["note"]}
    assert (taken.manifest.rows, taken.rejected.rows) == (4, 6)


def test_the_same_rows_have_the_same_digest_from_whatever_source(take, policies, tmp_path):
    lines = [
        f"{number:>4}{status:<6}{premium:>8}"
        for number, status, premium in [(1, "ACTIVE", "10.00"), (2, "LAPSED", ""), (3, "ACTIVE", "7.5")]
    ]
    (tmp_path / "policies.txt").write_text("\n".join(lines))
    layout = (Column("policy_id", 1, 4), Column("status", 5, 6), Column("premium", 11, 8))
    premiums = pa.array([Decimal("10.00"), None, Decimal("7.50")], pa.decimal128(9, 2))
    pq.write_table(
        pa.table(
            {
                "policy_id": pa.array([1, 2, 3], pa.int32()),
                "status": ["ACTIVE", "LAPSED", "ACTIVE"],
                "premium": premiums,
            }
        ),
        tmp_path / "policies.parquet",
    )

    from_csv = take(policies())
    from_text = take(FixedWidth("policies.txt", layout))
    from_parquet = take(ParquetFile("policies.parquet"))

    assert from_csv.manifest.digest == from_text.manifest.digest == from_parquet.manifest.digest


def test_taken_again_it_is_the_same_but_for_run_and_time(take, policies):
    first, second = take(policies(BAD)), take(policies(BAD), run_id="run 2")

    assert first.manifest.digest == second.manifest.digest
    assert first.rejected.digest == second.rejected.digest
    assert first.manifest.code_version == second.manifest.code_version
    assert second.manifest.run_id == "run 2"
    assert take(policies(CONTENT + "4,ACTIVE,1,x\n")).manifest.digest != first.manifest.digest


def test_the_code_version_is_of_contract_and_source():
    class Stricter(Policy):
        policy_id: pl.Int64 = Field(ge=100)

    source = Csv("policies-{date}.csv")
    version = snapshot.code_version_of(entity_of(source).legacy)

    assert version.startswith("3+")
    assert version == snapshot.code_version_of(entity_of(Csv("policies-{date}.csv")).legacy)
    assert version != snapshot.code_version_of(entity_of(source, Stricter).legacy)
    assert version != snapshot.code_version_of(entity_of(Csv("policies-{date}.csv", delimiter=";")).legacy)


def test_the_entitys_own_partitioning_counts(take, policies):
    taken = take(policies(), partitioning=Monthly(date(2026, 3, 1)))

    assert taken.manifest.watermark == datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "content", ["", "policy_id,status\n1,ACTIVE\n", "policy_id,status,premium,status\n1,ACTIVE,1,x\n"]
)
def test_a_source_that_is_not_as_declared_changes_nothing(take, policies, lake, content):
    take(policies())

    with pytest.raises(SourceError, match=f"policies-{DAY}.csv"):
        take(policies(content), run_id="run 2")
    assert lake.verify(LEGACY, thorough=True).run_id == "run 1"


def test_a_parquet_file_damaged_behind_its_first_rows_changes_nothing(take, tmp_path, lake):
    path = tmp_path / "policies.parquet"
    numbers = pa.table({
        "policy_id": pa.array(range(1, 400_001), pa.int64()),
        "status": pa.repeat(pa.scalar("ACTIVE"), 400_000),
        "premium": pa.nulls(400_000, pa.decimal128(12, 2)),
    })  # fmt: skip
    pq.write_table(numbers, path, row_group_size=100_000, use_dictionary=False)
    content = bytearray(path.read_bytes())
    group = pq.read_metadata(path).row_group(3).column(0)
    content[group.data_page_offset + 40 : group.data_page_offset + 20_000] = bytes(19_960)
    path.write_bytes(content)

    with pytest.raises(SourceError, match=r"policies\.parquet"):
        take(ParquetFile("policies.parquet"))
    assert lake.addresses("legacy") == []
    assert lake.addresses("legacy_rejected") == []


class Shaky(Source):
    """A source that fails so many times, each time behind its first row, before it can be read to the end."""

    def __init__(self, failures, *, transient=True):
        self.left = failures
        self.transient = transient
        self.opened = 0

    @contextmanager
    def open(self, place, schema):  # noqa: ARG002
        self.opened += 1
        yield Reading(self.batches(schema))

    def batches(self, schema):
        nothing = pa.RecordBatch.from_pylist([], schema=REJECTED)
        for number in (1, 2):
            row = {"policy_id": number, "status": "ACTIVE", "premium": None}
            yield Batch(pa.RecordBatch.from_pylist([row], schema=schema), pa.array([number]), nothing)
            if self.left:
                self.left -= 1
                raise SourceError("the line went dead", transient=self.transient)

    def describe(self):
        return "shaky source"


@pytest.fixture
def hurried():
    """Attempts without waiting in between."""
    with stamina.set_testing(testing=True, attempts=4, cap=True):
        yield


@pytest.mark.usefixtures("hurried")
def test_trouble_that_may_pass_is_sat_out(take, lake):
    source = Shaky(failures=2)

    taken = take(source)

    assert source.opened == 3
    assert [row["policy_id"] for row in rows(lake)] == [1, 2]
    assert taken.manifest.notes["rows_in"] == 2


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("transient", "attempts"), [(True, 4), (False, 1)])
def test_trouble_that_stays_is_told(take, lake, transient, attempts):
    source = Shaky(failures=99, transient=transient)

    with pytest.raises(SourceError, match="the line went dead"):
        take(source)
    assert source.opened == attempts
    assert lake.addresses("legacy") == []


def test_rows_that_get_lost_fail_the_run(take, policies, lake, monkeypatch):
    honest = contract.validate

    def loses_one(model, batch, numbers):
        judged = honest(model, batch, numbers)
        return replace(judged, valid=judged.valid.slice(1))

    monkeypatch.setattr(contract, "validate", loses_one)

    with pytest.raises(IntegrityError, match="rows do not balance: 2 valid and 0 rejected of 3"):
        take(policies())
    assert lake.addresses("legacy") == []


def test_a_lake_that_cannot_be_used(take, policies, lake):
    lake.root.write_text("a file")

    with pytest.raises(IntegrityError, match=r"\$COEXIST_LAKE"):
        take(policies())


def test_a_small_source_is_read_as_a_whole(tmp_path):
    (tmp_path / "map.csv").write_text("legacy,service\n1,a\nx,b\n3,c\n")
    schema = pa.schema([("legacy", pa.int64()), ("service", pa.string())])

    links, unreadable, _ = snapshot.read(Csv("map.csv"), schema, Place(tmp_path, DAY))

    assert links.to_pydict() == {"legacy": [1, 3], "service": ["a", "c"]}
    assert unreadable.select(["row_number", "field"]).to_pylist() == [{"row_number": 2, "field": "legacy"}]


def test_a_small_source_without_rows(tmp_path):
    (tmp_path / "map.csv").write_text("legacy\n")

    links, unreadable, _ = snapshot.read(Csv("map.csv"), pa.schema([("legacy", pa.int64())]), Place(tmp_path, DAY))

    assert (links.num_rows, unreadable.num_rows) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("bad", [0, 1])
def test_memory_does_not_grow_with_the_rows(tmp_path, bad):
    """Four times the rows, about the same peak: with all rows valid, and with all of them rejected."""
    status = "DEAD" if bad else "ACTIVE"
    peaks = []
    for count in (500_000, 2_000_000):
        with (tmp_path / f"policies-{DAY}.csv").open("w") as file:
            file.write("policy_id,status,premium,name\n")
            file.writelines(
                f"{number},{status},{number}.25,name of number {number}\n" for number in range(1, count + 1)
            )
        peaks.append(peak_of_a_snapshot(tmp_path))

    assert peaks[1] < peaks[0] * 1.25 + 20
    assert peaks[1] < 600


def peak_of_a_snapshot(folder):
    """Peak memory in MB of a process that takes one."""
    script = f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import test_snapshot as tests
        from pipelines.lake import Lake

        entity = tests.entity_of(tests.Csv("policies-{{date}}.csv"))
        days = tests.Daily(tests.date(2026, 3, 1))
        context = tests.Context("policy", description="x", owner=tests.Owner("x"), partitioning=days,
                                entities=(entity,), root=Path({str(folder)!r}))
        tests.snapshot.take(entity, tests.Side.LEGACY, context=context, partition=tests.DAY,
                            lake=Lake(Path({str(folder)!r}, "lake")), run_id="run")
        # Not getrusage: its peak counts what the parent held when it started this process.
        (high,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
        print(int(high.split()[1]) / 1024)
    """
    done = subprocess.run(
        [sys.executable, "-B", "-c", textwrap.dedent(script)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(done.stdout)
