"""Google's and Azure's storage: files are read from there and a lake is kept there as in S3."""

from itertools import count

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import filesystems
from pipelines.errors import SourceError
from pipelines.lake import Address, lake_in
from pipelines.lake.bucket import Bucket
from pipelines.sources import Csv, JsonLines, ParquetFile
from tests.pipelines.clouds import AZURE_KEY, CLOUDS, served
from tests.pipelines.sources.reading import DAY, read

pytestmark = pytest.mark.live
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string())])
ROWS = {1: (1, "Ann"), 2: (2, "Jürgen")}
DRIFT, LINKAGE = (Address("policy", "policies", stage, "2026-03-20") for stage in ("drift", "linkage"))
BUCKET = "deliveries"
names = count()


@pytest.fixture(scope="module", params=CLOUDS)
def scheme(request, tmp_path_factory):
    """The scheme of a storage that runs and has a bucket."""
    with served(CLOUDS[request.param], tmp_path_factory.mktemp(request.param)):
        filesystems.file_system.cache_clear()
        filesystems.file_system(request.param).create_dir(BUCKET)
        yield request.param
        filesystems.file_system.cache_clear()


def put(scheme, key, content):
    with filesystems.file_system(scheme).open_output_stream(f"{BUCKET}/{key}") as stream:
        stream.write(content)


def parquet(rows):
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (Csv, "id,name\n1,Ann\n2,Jürgen\n".encode()),
        (JsonLines, '{"id": 1, "name": "Ann"}\n{"id": 2, "name": "Jürgen"}\n'.encode()),
        (ParquetFile, parquet(pa.table({"id": [1, 2], "name": ["Ann", "Jürgen"]}))),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_files_are_read_from_there(scheme, kind, content, tmp_path):
    put(scheme, f"daily/policies-{DAY}", content)

    rows, unreadable, _ = read(kind(f"{scheme}://{BUCKET}/daily/policies-{{date}}"), tmp_path, SCHEMA)

    assert (rows, unreadable) == (ROWS, [])


def test_a_large_file_comes_in_blocks(scheme, tmp_path):
    put(scheme, "large", b"id,name\n" + b"".join(b"%d,%0100d\n" % (n, n) for n in range(100_000)))

    rows, _, _ = read(Csv(f"{scheme}://{BUCKET}/large"), tmp_path, SCHEMA)

    assert len(rows) == 100_000
    assert rows[100_000] == (99_999, f"{99_999:0100d}")


@pytest.mark.parametrize("place", [f"{BUCKET}/none", "nowhere/none"])
def test_what_is_not_there(scheme, place, tmp_path):
    with pytest.raises(SourceError, match=f"{scheme}://{place}") as refused:
        read(Csv(f"{scheme}://{place}"), tmp_path, SCHEMA)

    assert not refused.value.transient
    assert AZURE_KEY not in str(refused.value)


@pytest.fixture
def machine(scheme, tmp_path, monkeypatch):
    url = f"{scheme}://{BUCKET}/lake-{next(names)}"

    def of(name):
        monkeypatch.setenv("COEXIST_MIRROR", str(tmp_path / name))
        return lake_in(url)

    return of


def write(lake, *addresses, value):
    with lake.transaction("run") as transaction:
        for address in addresses:
            transaction.write(address, pa.table({"value": [value]}))


def held(lake, address):
    return pq.read_table(lake.file(address), partitioning=None)["value"].to_pylist()


def test_what_one_machine_wrote_another_reads_and_the_last_one_counts(machine):
    write(machine("one"), DRIFT, LINKAGE, value="a")
    write(machine("two"), DRIFT, value="b")

    seen = machine("three")
    assert (held(seen, DRIFT), held(seen, LINKAGE)) == (["b"], ["a"])
    assert seen.partitions("policy", "policies", "drift") == ["2026-03-20"]
    assert seen.addresses("linkage") == [LINKAGE]


def test_while_a_writer_is_at_it_readers_see_what_was_there(machine, monkeypatch):
    write(machine("one"), DRIFT, LINKAGE, value="a")
    writer, seen = machine("one"), []

    def put_slowly(self, name, content):
        with self._whole(name) as path, self._files().open_output_stream(path) as stream:
            seen.append(held(machine("witness"), DRIFT))
            stream.write(content)
            seen.append(held(machine("witness"), LINKAGE))

    monkeypatch.setattr(Bucket, "put", put_slowly)
    write(writer, DRIFT, LINKAGE, value="b")

    assert seen == [["a"]] * 6
    assert [held(machine("two"), address) for address in (DRIFT, LINKAGE)] == [["b"], ["b"]]


def test_no_credentials_are_left_in_the_lake(machine, tmp_path):
    write(machine("one"), DRIFT, value="a")

    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not any(AZURE_KEY.encode() in content for content in written)
