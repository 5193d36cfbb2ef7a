"""Files in object storage by URL, from an S3 server on loopback: every kind of file, and every way to fail."""

import socket
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from pipelines import filesystems
from pipelines.errors import SourceError
from pipelines.sources import Chars, Column, Csv, Excel, FixedWidth, JsonLines, Mainframe, ParquetFile
from pipelines.sources.source import Place
from tests.pipelines.object_storage import BUCKET, SECRET, bucket, environment, free_port, served
from tests.pipelines.sources.reading import DAY, read

pytestmark = pytest.mark.live
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string())])
ROWS = {1: (1, "Ann"), 2: (2, "Jürgen")}
LARGE = b"id,name\n" + b"".join(b"%d,%0100d\n" % (n, n) for n in range(300_000))


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module", autouse=True)
def surroundings(port):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(port).items():
            patch.setenv(name, value)
        filesystems.file_system.cache_clear()
        yield
        filesystems.file_system.cache_clear()


@pytest.fixture(scope="module")
def storage(tmp_path_factory, port, surroundings):  # noqa: ARG001 (it must be set when the bucket is made)
    """A function that puts bytes into the bucket."""
    with served(tmp_path_factory.mktemp("moto"), port):
        client = bucket()

        def put(key, content):
            client.put_object(Bucket=BUCKET, Key=key, Body=content)

        yield put


def csv(_folder):
    return "id,name\n1,Ann\n2,Jürgen\n".encode()


def json_lines(_folder):
    return '{"id": 1, "name": "Ann"}\n{"id": 2, "name": "Jürgen"}\n'.encode()


def fixed(_folder):
    return "0001Ann   \n0002Jürgen\n".encode()


def mainframe(_folder):
    return "0001Ann   0002Jürgen".encode("cp273")


def parquet(folder):
    pq.write_table(pa.table({"id": [1, 2], "name": ["Ann", "Jürgen"]}), folder / "written")
    return (folder / "written").read_bytes()


def excel(folder):
    with xlsxwriter.Workbook(folder / "written") as book:
        page = book.add_worksheet()
        for at, row in enumerate([["id", "name"], [1, "Ann"], [2, "Jürgen"]]):
            page.write_row(at, 0, row)
    return (folder / "written").read_bytes()


URL = f"s3://{BUCKET}/daily/policies-{{date}}"
KINDS = {
    csv: Csv(URL),
    json_lines: JsonLines(URL),
    fixed: FixedWidth(URL, (Column("id", 1, 4), Column("name", 5, 6))),
    mainframe: Mainframe(URL, (Chars("id", 1, 4), Chars("name", 5, 6)), length=10, code_page="cp273"),
    parquet: ParquetFile(URL),
    excel: Excel(URL),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_file_is_read_from_there(kind, storage, tmp_path):
    storage(f"daily/policies-{DAY}", kind(tmp_path))

    rows, unreadable, _ = read(KINDS[kind], tmp_path, SCHEMA)

    assert rows == ROWS
    assert unreadable == []


def test_a_large_file_comes_in_blocks(storage, tmp_path):
    storage(f"daily/policies-{DAY}", LARGE)

    rows, _, _ = read(Csv(URL), tmp_path, SCHEMA)

    assert len(rows) == 300_000
    assert rows[300_000] == (299_999, f"{299_999:0100d}")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"s3://{BUCKET}/nothing", "there is no such file"),
        ("s3://no-such-bucket/nothing", "no-such-bucket/nothing: there is no such"),
    ],
)
def test_what_is_not_there(storage, tmp_path, url, message):  # noqa: ARG001 (the server must run)
    with pytest.raises(SourceError, match=message) as refused:
        read(Csv(url), tmp_path, SCHEMA)

    assert not refused.value.transient
    assert url in str(refused.value)


def test_an_empty_file(storage, tmp_path):
    storage("empty", b"")

    with pytest.raises(SourceError, match="the file is empty"):
        read(Csv(f"s3://{BUCKET}/empty"), tmp_path, SCHEMA)


@pytest.fixture
def short_patience(monkeypatch):
    monkeypatch.setattr(filesystems, "_SECONDS", 3.0)
    monkeypatch.setattr(filesystems, "_TRIES", 1)
    filesystems.file_system.cache_clear()
    yield
    filesystems.file_system.cache_clear()


def test_a_storage_that_is_not_there_may_come_back(tmp_path, monkeypatch, short_patience):  # noqa: ARG001
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")

    with pytest.raises(SourceError, match="the storage does not answer") as refused:
        read(Csv(URL), tmp_path, SCHEMA)
    assert refused.value.transient
    assert SECRET not in f"{refused.value} {refused.value.__cause__}"


def test_a_storage_that_never_answers_is_given_up(tmp_path, monkeypatch, short_patience):  # noqa: ARG001
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()

        with pytest.raises(SourceError, match="the storage does not answer") as refused:
            read(Csv(URL), tmp_path, SCHEMA)
    assert refused.value.transient
    assert time.monotonic() - started < 20


def test_a_storage_killed_in_the_middle(tmp_path, monkeypatch, short_patience):  # noqa: ARG001
    port = free_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with served(tmp_path, port) as process:
        bucket().put_object(Bucket=BUCKET, Key=f"daily/policies-{DAY}", Body=LARGE)
        with KINDS[csv].open(Place(tmp_path, DAY), SCHEMA) as reading:
            assert next(reading.batches).rows.num_rows
            process.kill()
            process.wait()
            with pytest.raises(SourceError) as refused:
                list(reading.batches)
    assert refused.value.transient


def test_who_may_not_read(tmp_path, monkeypatch, short_patience):  # noqa: ARG001
    port = free_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with served(tmp_path, port, INITIAL_NO_AUTH_ACTION_COUNT="2"):  # bucket and file; from then on keys must be known
        bucket().put_object(Bucket=BUCKET, Key="secret", Body=b"id,name\n1,Ann\n")
        with pytest.raises(SourceError, match=r"the storage does not know the access key|access denied") as refused:
            read(Csv(f"s3://{BUCKET}/secret"), tmp_path, SCHEMA)
    assert not refused.value.transient
    assert SECRET not in f"{refused.value} {refused.value.__cause__}"


def test_the_number_of_a_port_is_no_status():
    refused = OSError("AWS Error NETWORK_CONNECTION during HeadObject: Failed to connect to 127.0.0.1:40399")

    assert filesystems.trouble(refused) == ("the storage does not answer", True)
    assert filesystems.trouble(OSError("AWS Error UNKNOWN (HTTP status 403)")) == ("access denied", False)
