"""The lake: what is written is whole or not there, says what it is, and depends on its content only."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import catalog, drift
from pipelines.errors import DeclarationError, IntegrityError
from pipelines.lake import Address, Lake, atomic, lake_in
from pipelines.lake.content import ROWS_PER_STRETCH, Digest, stretches

ROOT = Path(__file__).parents[2]
DRIFT = Address("policy", "policies", "drift", "2026-03-20")
CASES = Address("portfolio", "all", "cases")
ROWS = pa.table({"id": [1, 2, None], "name": ["Ann", None, "Zoë"]})
OTHER = pa.table({"id": [7]})


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def write(lake, address=DRIFT, rows=ROWS, run_id="run 1", **about):
    with lake.transaction(run_id) as transaction:
        return transaction.write(address, rows, **about)


def written(lake, address=DRIFT):
    """Opened once: `read_table` opens a file twice, and may find another one the second time."""
    with pq.ParquetFile(lake.file(address)) as file:
        return file.read()


def visible(lake):
    """Everything below the lake, but for the place where things are written aside."""
    files = sorted(str(path.relative_to(lake.root)) for path in lake.root.rglob("*") if path.is_file())
    return [name for name in files if not name.startswith(".aside")]


def left_aside(lake):
    return sorted(path.name for path in (lake.root / ".aside").iterdir())


def test_addresses_read_as_paths():
    assert str(DRIFT) == "policy/policies/drift/2026-03-20"
    assert str(CASES) == "portfolio/all/cases"


def test_a_table_is_beside_its_manifest(lake):
    manifest = write(lake, code_version="3", watermark=datetime(2026, 3, 21, tzinfo=UTC), notes={"undeclared": ["x"]})
    write(lake, CASES, OTHER, inputs={str(DRIFT): manifest.digest})

    assert visible(lake) == [
        "policy/policies/drift/business_date=2026-03-20/_manifest.json",
        "policy/policies/drift/business_date=2026-03-20/drift.parquet",
        "portfolio/all/cases/_manifest.json",
        "portfolio/all/cases/cases.parquet",
    ]
    assert written(lake) == ROWS
    assert lake.manifest(DRIFT) == manifest
    assert (manifest.rows, manifest.run_id, manifest.code_version) == (3, "run 1", "3")
    assert manifest.watermark == datetime(2026, 3, 21, tzinfo=UTC)
    assert lake.manifest(CASES).inputs == {"policy/policies/drift/2026-03-20": manifest.digest}
    assert left_aside(lake) == []


def test_what_is_there(lake):
    write(lake, Address("policy", "policies", "drift", "2026-03-21"))
    write(lake)
    write(lake, Address("billing", "invoices", "drift", "2026-03-20"))
    write(lake, CASES, OTHER)

    assert lake.partitions("policy", "policies", "drift") == ["2026-03-20", "2026-03-21"]
    assert lake.partitions("policy", "policies", "legacy") == []
    assert [str(address) for address in lake.addresses("drift")] == [
        "billing/invoices/drift/2026-03-20",
        "policy/policies/drift/2026-03-20",
        "policy/policies/drift/2026-03-21",
    ]
    assert lake.addresses("cases") == [CASES]
    assert lake.manifest(Address("policy", "policies", "drift", "2026-03-22")) is None


def test_an_empty_lake_holds_nothing(lake):
    assert lake.addresses("drift") == []
    assert lake.manifest(DRIFT) is None
    assert not lake.root.exists()


def test_the_lake_is_where_the_environment_says(monkeypatch):
    monkeypatch.delenv("COEXIST_LAKE", raising=False)
    assert lake_in().root == Path("data/lake")
    monkeypatch.setenv("COEXIST_LAKE", "/somewhere/else")
    assert lake_in().root == Path("/somewhere/else")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://bucket/lake", '"ftp" is no object storage'),
        ("s3://bucket", "a URL names a bucket"),
        ("s3:/bucket/lake", "a URL begins with s3://"),
        ("old:lake", "a folder whose name has a colon is taken for a URL"),
        ("lakes/what?", r"DuckDB, which reads the catalogue, cannot open a path with \? in it"),
        (r"lakes\old", r"DuckDB, which reads the catalogue, cannot open a path with \\ in it"),
        ("s3://someone:hidden@bucket/lake", "a URL holds no credentials"),
    ],
)
def test_a_lake_is_no_other_place(url, why):
    with pytest.raises(DeclarationError, match=f"COEXIST_LAKE or --lake: {why}.*s3://bucket/folder") as raised:
        lake_in(url)
    assert "hidden" not in str(raised.value)


def test_descriptions_of_columns_travel_in_the_file(lake):
    described = pa.schema([pa.field("id", pa.int64(), metadata={"description": "Größe"}), ("name", pa.string())])
    write(lake, rows=ROWS.cast(described))

    held = pq.read_schema(lake.file(DRIFT))
    assert held.field("id").metadata[b"description"].decode() == "Größe"
    assert json.loads(pq.read_metadata(lake.file(DRIFT)).metadata[b"coexist.columns"]) == {"id": "Größe"}
    assert pq.read_metadata(lake.file(DRIFT)).metadata[b"coexist.run_id"] == b"run 1"


def test_every_engine_reads_the_partitions(lake):
    write(lake)
    write(lake, Address("policy", "policies", "drift", "2026-03-21"))
    folder = lake.root / "policy/policies/drift"

    with duckdb.connect() as connection:
        found = connection.sql(
            f"SELECT business_date, count(*) FROM '{folder}/**/*.parquet' GROUP BY ALL ORDER BY 1"
        ).fetchall()
    assert [(str(day), count) for day, count in found] == [("2026-03-20", 3), ("2026-03-21", 3)]
    assert pl.read_parquet(f"{folder}/**/*.parquet", hive_partitioning=True)["business_date"].n_unique() == 2
    assert pyarrow.dataset.dataset(folder, partitioning="hive").count_rows() == 6


def pages(path):
    """The bytes of all column chunks: everything but the footer."""
    content, metadata = path.read_bytes(), pq.read_metadata(path)
    chunks = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    starts = [min(filter(None, (chunk.dictionary_page_offset, chunk.data_page_offset))) for chunk in chunks]
    return [content[start : start + chunk.total_compressed_size] for start, chunk in zip(starts, chunks, strict=True)]


def test_the_same_rows_give_the_same_data_pages_and_digest_however_they_come(lake):
    rows = pa.table({"id": range(300_000), "name": [f"name {n % 977}" if n % 7 else None for n in range(300_000)]})
    again = Address("policy", "policies", "drift", "again")
    pieces = [piece for start in range(0, 300_000, 4_321) for piece in rows.slice(start, 4_321).to_batches()]

    first = write(lake, rows=rows, run_id="one")
    second = write(lake, again, pa.RecordBatchReader.from_batches(rows.schema, pieces), run_id="another")

    assert first.digest == second.digest
    assert pages(lake.file(DRIFT)) == pages(lake.file(again))
    assert pq.read_metadata(lake.file(again)).row_group(0).num_rows == ROWS_PER_STRETCH


def test_bounds_are_said_of_all_but_texts_in_no_order(lake):
    hashes = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(5_000)]
    rows = pa.table({"id": sorted(hashes), "hash": hashes, "number": range(5_000), "team": ["a", "b"] * 2_500})
    write(lake, rows=rows)

    group = pq.read_metadata(lake.file(DRIFT)).row_group(0)

    columns = [group.column(n) for n in range(group.num_columns)]
    assert [column.path_in_schema for column in columns if column.is_stats_set] == ["id", "number", "team"]


def digest(table, volatile=()):
    made = Digest(table.schema, volatile)
    for stretch in stretches(table.to_batches(), table.schema):
        made.update(stretch)
    return made.text()


@pytest.mark.parametrize(
    "other",
    [
        {"id": [1, 2, 3], "name": ["Ann", None, "Zoë"]},
        {"id": [2, 1, None], "name": ["Ann", None, "Zoë"]},
        {"id": [1, 2, None], "name": ["Ann", "", "Zoë"]},
        {"id": [1, 2, None], "name": ["A", "nn", "Zoë"]},
        {"id": [1, 2, None], "nom": ["Ann", None, "Zoë"]},
        {"name": ["Ann", None, "Zoë"], "id": [1, 2, None]},
        {"id": [1, 2], "name": ["Ann", None]},
        {"id": pa.array([1, 2, None], pa.int32()), "name": ["Ann", None, "Zoë"]},
        {"id": [1, 2, None]},
    ],
)
def test_another_content_has_another_digest(other):
    assert digest(pa.table(other)) != digest(ROWS)


@pytest.mark.parametrize(
    "values",
    [
        [True, None, False],
        [1.5, float("nan"), None],
        [Decimal("1.50"), None],
        [b"\x00", b"", None],
        [[1, None], [], None],
        [{"a": 1, "b": [None, "x"]}, {"a": None, "b": []}, None],
        [datetime(2026, 3, 20, tzinfo=UTC), None],
        pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        pa.array(["a", None, "a"]).dictionary_encode(),
        pa.nulls(3),
    ],
    ids=str,
)
def test_values_of_any_type_have_a_digest_that_survives_the_file(lake, values):
    table = pa.table({"v": values})

    assert write(lake, rows=table).digest == digest(table)
    assert lake.verify(DRIFT, thorough=True).digest == digest(table)
    assert digest(table.slice(1)) != digest(table)
    assert digest(table.slice(1)) == digest(pa.table({"v": table["v"].to_pylist()[1:]}, table.schema))


def test_bytes_under_missing_values_do_not_count():
    present = pa.array([1, 2, 3])
    hidden = pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\x05"), present.buffers()[1]])

    assert hidden.to_pylist() == [1, None, 3]
    assert digest(pa.table({"v": hidden})) == digest(pa.table({"v": [1, None, 3]}))


def test_dictionaries_and_large_texts_are_how_it_is_stored():
    encoded = pa.table({"id": ROWS["id"], "name": ROWS["name"].dictionary_encode()})
    large = ROWS.cast(pa.schema([("id", pa.int64()), ("name", pa.large_string())]))

    assert digest(encoded) == digest(large) == digest(ROWS)


def test_volatile_columns_do_not_count(lake):
    one, other = (ROWS.append_column("run_id", pa.array([run] * 3)) for run in ("a", "b"))

    assert write(lake, rows=one, volatile=("run_id",)).digest == write(lake, rows=other, volatile=("run_id",)).digest
    assert write(lake, rows=one).digest != write(lake, rows=other).digest
    write(lake, rows=other, volatile=("run_id",))
    lake.verify(DRIFT, thorough=True)


@given(texts=st.lists(st.none() | st.text(max_size=8), max_size=30), cuts=st.lists(st.integers(1, 7), min_size=1))
def test_borders_of_stretches_depend_on_the_content_only(texts, cuts):
    table = pa.table({"id": range(len(texts)), "name": pa.array(texts, pa.string())})
    pieces, at = [], 0
    while at < len(texts):
        size = cuts[len(pieces) % len(cuts)]
        pieces += table.slice(at, size).to_batches()
        at += size

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.lake.content.ROWS_PER_STRETCH", 5)
        patch.setattr("pipelines.lake.content.TEXT_PER_STRETCH", 12)
        whole = list(stretches(table.to_batches(), table.schema))
        pieced = list(stretches(pieces, table.schema))

    assert whole == pieced
    assert pa.Table.from_batches(whole, table.schema) == table
    for stretch in whole:
        sizes = [len(text.encode()) for text in stretch.column("name").to_pylist() if text]
        assert stretch.num_rows <= 5
        assert sum(sizes[:-1]) < 12


def test_after_an_error_nothing_has_changed(lake):
    write(lake)

    def fail_after_writing():
        with lake.transaction("run 2") as transaction:
            transaction.write(DRIFT, OTHER)
            transaction.write(CASES, OTHER)
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_writing()

    assert written(lake) == ROWS
    assert lake.addresses("cases") == []
    assert left_aside(lake) == []


def test_an_interrupt_while_tidying_up_leaves_nothing_aside(lake, monkeypatch):
    removed = shutil.rmtree

    def interrupted(_folder, **_how):
        monkeypatch.setattr(shutil, "rmtree", removed)
        raise KeyboardInterrupt

    def run():
        with lake.transaction("run 1") as transaction:
            transaction.write(DRIFT, ROWS)
            monkeypatch.setattr(shutil, "rmtree", interrupted)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert left_aside(lake) == []


def test_an_error_among_the_rows_is_told_as_it_is(lake):
    def rows():
        yield from ROWS.to_batches()
        raise FileNotFoundError("not the lake's fault")

    with pytest.raises(FileNotFoundError, match="not the lake's fault"):
        write(lake, rows=pa.RecordBatchReader.from_batches(ROWS.schema, rows()))
    assert visible(lake) == []
    assert left_aside(lake) == []


def test_tables_of_a_transaction_become_visible_together(lake):
    with lake.transaction("run 1") as transaction:
        transaction.write(DRIFT, ROWS)
        transaction.write(CASES, OTHER)
        assert visible(lake) == []

    assert (lake.manifest(DRIFT).rows, lake.manifest(CASES).rows) == (3, 1)


@pytest.mark.parametrize("at_once", [True, False])
def test_what_was_there_is_replaced(lake, monkeypatch, at_once):
    if not at_once:
        monkeypatch.setattr(atomic, "_exchange", lambda *_: False)
    write(lake)

    write(lake, rows=OTHER, run_id="run 2")

    assert written(lake) == OTHER
    assert lake.manifest(DRIFT).run_id == "run 2"
    assert left_aside(lake) == []


def test_trouble_while_publishing_brings_back_what_had_been_there(lake, monkeypatch):
    write(lake)
    swap, calls = atomic.swap, []

    def swap_twice(new, target):
        calls.append(target)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        swap(new, target)

    def write_three():
        with lake.transaction("run 2") as transaction:
            for address in (DRIFT, CASES, Address("policy", "policies", "drift", "2026-03-21")):
                transaction.write(address, OTHER)

    monkeypatch.setattr(atomic, "swap", swap_twice)
    with pytest.raises(IntegrityError, match="No space left on device"):
        write_three()
    monkeypatch.undo()

    assert written(lake) == ROWS
    assert lake.manifest(DRIFT).run_id == "run 1"
    assert lake.addresses("cases") == []


def test_readers_see_one_whole_table_or_the_other(lake):
    write(lake)
    done, seen, troubles = threading.Event(), set(), []

    def keep_reading():
        while not done.is_set():
            try:
                seen.add(written(lake).num_rows)
            except OSError as error:
                troubles.append(error)

    reader = threading.Thread(target=keep_reading)
    reader.start()
    for number in range(60):
        write(lake, rows=OTHER if number % 2 else ROWS)
    done.set()
    reader.join()

    assert troubles == []
    assert seen <= {1, 3}


def test_a_stage_has_partitions_or_is_one_table(lake):
    write(lake)
    write(lake, CASES, OTHER)

    with pytest.raises(IntegrityError, match="this stage has partitions"):
        write(lake, Address("policy", "policies", "drift"), OTHER)
    with pytest.raises(IntegrityError, match="this stage is one table"):
        write(lake, Address("portfolio", "all", "cases", "2026-03-20"), OTHER)
    assert written(lake) == ROWS
    assert written(lake, CASES) == OTHER


def test_a_spool_gives_back_what_was_put_by(lake):
    with lake.transaction("run 1") as transaction:
        spool = transaction.spool(ROWS.schema)
        with spool.filling() as put_by:
            for batch in [*ROWS.to_batches(), *ROWS.to_batches()]:
                put_by(batch)
        with spool.reading() as rows:
            manifest = transaction.write(DRIFT, rows)

    assert manifest.rows == 6
    assert visible(lake) == [f"{DRIFT.folder}/_manifest.json", f"{DRIFT.folder}/drift.parquet"]


def test_a_lake_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")

    for root in (tmp_path / "file", tmp_path / "file" / "lake"):
        with pytest.raises(IntegrityError, match=r"the lake .*file.* cannot be used: .*\$COEXIST_LAKE"):
            write(Lake(root))


@pytest.fixture
def unprivileged():
    """Root may write anywhere: be somebody else for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_lake_that_nobody_may_write_to(tmp_path, request):
    (tmp_path / "lake").mkdir(mode=0o555)
    request.getfixturevalue("unprivileged")

    with pytest.raises(IntegrityError, match=r"the lake .* cannot be used: Permission denied; \$COEXIST_LAKE"):
        write(Lake(tmp_path / "lake"))


def run(script, *arguments, **options):
    """Run a script with the product on its path."""
    return subprocess.Popen(
        [sys.executable, "-B", "-c", textwrap.dedent(script), *map(str, arguments)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def test_a_disk_that_fills_while_writing(lake):
    write(lake)
    writer = run(
        """
        import os, resource, sys
        from pathlib import Path
        import pyarrow as pa
        from pipelines.errors import DeclarationError, IntegrityError
        from pipelines.lake import Address, Lake

        lake = Lake(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
        noise = pa.table({"id": [os.urandom(20) for _ in range(200_000)]})
        try:
            with lake.transaction("run 2") as transaction:
                transaction.write(Address("policy", "policies", "drift", "2026-03-20"), noise)
        except IntegrityError as error:
            print(error)
        """,
        lake.root,
    )
    said, complaints = writer.communicate(timeout=60)

    assert said.strip() == f"the lake {lake.root} cannot be used: File too large; $COEXIST_LAKE names another folder"
    assert complaints == ""
    assert writer.returncode == 0
    assert written(lake) == ROWS
    assert left_aside(lake) == []


def test_a_disk_that_fills_while_rows_are_put_by(lake, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.lake.transaction.pa.OSFile", full)
    with (
        pytest.raises(IntegrityError, match="No space left on device"),
        lake.transaction("run 1") as transaction,
        transaction.spool(ROWS.schema).filling(),
    ):
        pass


def test_a_run_killed_in_the_middle_leaves_nothing_visible_and_nothing_behind(lake):
    write(lake)
    writer = run(
        """
        import sys, time
        from pathlib import Path
        import pyarrow as pa
        from pipelines.lake import Address, Lake

        def rows():
            for number in range(1_000_000):
                yield pa.record_batch({"id": list(range(150_000))})
                if number == 3:
                    print("writing", flush=True)
                    time.sleep(60)

        lake = Lake(Path(sys.argv[1]))
        with lake.transaction("run 2") as transaction:
            transaction.write(Address("portfolio", "all", "cases"), pa.table({"id": [1]}))
            reader = pa.RecordBatchReader.from_batches(pa.schema([("id", pa.int64())]), rows())
            transaction.write(Address("policy", "policies", "drift", "2026-03-20"), reader)
        """,
        lake.root,
    )
    assert writer.stdout.readline() == "writing\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()

    assert left_aside(lake) != []
    assert visible(lake) == [f"{DRIFT.folder}/_manifest.json", f"{DRIFT.folder}/drift.parquet"]
    assert lake.verify(DRIFT, thorough=True).run_id == "run 1"

    write(lake, rows=OTHER, run_id="run 3")

    assert written(lake) == OTHER
    assert left_aside(lake) == []


def test_a_catalogue_that_was_killed_goes_with_the_next_one(lake):
    write(lake, rows=pa.Table.from_pylist([{"owner": "here"}], drift.DRIFT_SCHEMA))
    builder = run(
        """
        import os, signal, sys
        from pathlib import Path
        from pipelines import catalog
        from pipelines.lake import Lake

        catalog._view = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        catalog.build(Lake(Path(sys.argv[1])))
        """,
        lake.root,
    )
    builder.communicate()
    assert left_aside(lake) != []

    catalog.build(lake)
    assert left_aside(lake) == []
    assert sorted(path.name for path in lake.root.iterdir()) == [".aside", "catalog.duckdb", "policy"]


def test_what_a_living_run_has_aside_is_left_alone(lake):
    with lake.transaction("slow") as slow:
        slow.write(DRIFT, ROWS)
        write(lake, CASES, OTHER, run_id="quick")

    assert written(lake) == ROWS
    assert left_aside(lake) == []


def test_a_folder_left_without_a_lock_is_removed(lake):
    (lake.root / ".aside" / "run 0-1-abc").mkdir(parents=True)

    write(lake)

    assert left_aside(lake) == []


def test_a_lock_left_without_a_folder_is_removed_when_it_is_old(lake):
    write(lake)
    for name, age in (("old", 100_000), ("new", 0)):
        lock = lake.root / ".aside" / f"{name}.lock"
        lock.touch()
        os.utime(lock, (lock.stat().st_mtime - age,) * 2)

    write(lake)

    assert left_aside(lake) == ["new.lock"]


def test_any_text_is_a_run_id(lake):
    assert write(lake, run_id="../a run/of: mine").run_id == "../a run/of: mine"


def test_of_two_tables_for_one_place_the_last_counts(lake):
    with lake.transaction("run 1") as transaction:
        transaction.write(DRIFT, OTHER)
        transaction.write(DRIFT, ROWS)

    assert written(lake) == ROWS


def test_a_table_as_its_manifest_says(lake):
    manifest = write(lake)

    assert lake.verify(DRIFT) == manifest
    assert lake.verify(DRIFT, thorough=True) == manifest


def test_a_table_without_a_manifest(lake):
    write(lake)
    (lake.root / DRIFT.folder / "_manifest.json").unlink()

    with pytest.raises(IntegrityError, match="policy/policies/drift/2026-03-20: there is no manifest"):
        lake.verify(DRIFT)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"rows": 1}'])
def test_a_manifest_that_is_none(lake, content):
    write(lake)
    (lake.root / DRIFT.folder / "_manifest.json").write_text(content)

    with pytest.raises(IntegrityError, match="is not a readable manifest"):
        lake.manifest(DRIFT)


def test_a_file_that_is_gone_or_cut(lake):
    write(lake)
    path = lake.file(DRIFT)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(IntegrityError, match="cannot be read as Parquet"):
        lake.verify(DRIFT)
    with pytest.raises(IntegrityError, match=f"^{DRIFT}: {path} is not what was written"):
        lake.file(DRIFT)

    path.unlink()
    with pytest.raises(IntegrityError, match="cannot be read as Parquet"):
        lake.verify(DRIFT)
    with pytest.raises(IntegrityError, match="is not what was written"):
        catalog.build(lake)


@pytest.mark.parametrize("name", ["lake [old]", "lake*"])
def test_the_name_of_a_lake_is_no_pattern(tmp_path, name):
    """The catalogue shows what is in this lake, and nothing of one whose name the pattern would match."""
    for folder, owner in ((name, "here"), ("lake o", "elsewhere"), ("lake", "elsewhere")):
        rows = pa.Table.from_pylist([{"owner": owner}], drift.DRIFT_SCHEMA)
        write(Lake(tmp_path / folder), rows=rows)
        catalog.build(Lake(tmp_path / folder))

    with duckdb.connect(tmp_path / name / "catalog.duckdb", read_only=True) as connection:
        assert connection.sql("SELECT owner FROM drift").fetchall() == [("here",)]


def test_a_file_that_was_exchanged(lake):
    write(lake)
    pq.write_table(OTHER, lake.file(DRIFT))

    with pytest.raises(IntegrityError, match="has rows 1, but its manifest says 3"):
        lake.verify(DRIFT)


def test_values_that_were_changed(lake):
    manifest = write(lake, rows=pa.table({"id": list(range(1000))}))
    metadata = pq.read_metadata(lake.file(DRIFT)).row_group(0).column(0)
    assert metadata.total_compressed_size
    file = lake.file(DRIFT)
    pq.write_table(pa.table({"id": [7, *range(1, 1000)]}), file, compression="zstd")
    size = file.stat().st_size
    path = lake.root / DRIFT.folder / "_manifest.json"
    path.write_text(path.read_text().replace(f'"size": {manifest.size}', f'"size": {size}'))

    lake.verify(DRIFT)
    with pytest.raises(IntegrityError, match="has digest"):
        lake.verify(DRIFT, thorough=True)


def test_a_table_that_is_removed_leaves_no_trace_and_no_other_goes_with_it(lake):
    other = Address("policy", "policies", "drift", "2026-03-21")
    write(lake)
    write(lake, other)
    opened = pq.ParquetFile(lake.file(DRIFT))

    lake.remove(DRIFT)
    lake.remove(DRIFT)

    assert opened.read().equals(ROWS), "who has it open reads on"
    assert lake.manifest(DRIFT) is None
    assert lake.addresses("drift") == [other]
    assert {Path(name).parent for name in visible(lake)} == {other.folder}
    assert left_aside(lake) == []
