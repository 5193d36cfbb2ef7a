"""A lake in object storage: what is visible is whole, all tables of a transaction at once, whatever dies when."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from itertools import count
from pathlib import Path, PurePosixPath

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipelines import filesystems, unpacked
from pipelines.cli import app
from pipelines.errors import IntegrityError
from pipelines.lake import Address, RemoteLake, lake_in
from pipelines.lake.bucket import Bucket
from tests.pipelines.object_storage import BUCKET, SECRET, bucket, environment, free_port, served

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[2]
D1, D2 = (Address("policy", "policies", "drift", f"2026-03-{day}") for day in (20, 21))
LINKAGE, FIELDS = Address("policy", "policies", "linkage", "2026-03-20"), Address("policy", "policies", "fields")
names = count()


@pytest.fixture(scope="module", autouse=True)
def storage(tmp_path_factory):
    port = free_port()
    with pytest.MonkeyPatch.context() as patch, served(tmp_path_factory.mktemp("moto"), port):
        for name, value in environment(port).items():
            patch.setenv(name, value)
        filesystems.file_system.cache_clear()
        yield bucket()
        filesystems.file_system.cache_clear()


@pytest.fixture
def url():
    return f"s3://{BUCKET}/lake-{next(names)}"


@pytest.fixture
def machine(url, tmp_path, monkeypatch):
    """The lake as another machine sees it, each with a mirror of its own."""

    def of(name):
        monkeypatch.setenv("COEXIST_MIRROR", str(tmp_path / name))
        return lake_in(url)

    return of


def table(value):
    return pa.table({"value": [value]})


def write(lake, **tables):
    """Tables by the name of their address, in one transaction."""
    with lake.transaction("run") as transaction:
        for name, value in tables.items():
            transaction.write(globals()[name], table(value))


def held(lake, address):
    file = lake.file(address)
    return pq.read_table(file, partitioning=None)["value"].to_pylist() if file.exists() else None


def test_a_table_that_was_removed_is_gone_on_every_machine(machine):
    one, other = machine("one"), machine("other")
    write(one, D1="a", D2="b")
    assert (held(other, D1), held(other, D2)) == (["a"], ["b"])

    one.remove(D1)
    one.remove(D1)  # twice is no error

    for lake in (one, other):
        assert lake.manifest(D1) is None
        assert held(lake, D1) is None
        assert lake.addresses("drift") == [D2]
        assert held(lake, D2) == ["b"]
    assert not [name for name in Bucket(one.url).names(PurePosixPath()) if "03-20" in str(name)], "no object is left"
    write(other, D1="c")
    assert held(one, D1) == ["c"]


def test_what_is_kept_unpacked_stays_on_the_machine_that_wrote_it(machine):
    one, other = machine("one"), machine("other")
    with one.transaction("run") as transaction:
        transaction.write(D1, table("a"), unpacked_from=0)

    assert unpacked.beside(one.file(D1)) is not None
    assert unpacked.beside(other.file(D1)) is None
    assert held(other, D1) == ["a"]


def test_what_one_machine_wrote_another_reads(machine):
    one, other = machine("one"), machine("other")
    assert isinstance(one, RemoteLake)
    write(one, D1="a", D2="b", FIELDS="c")

    assert [held(other, address) for address in (D1, D2, FIELDS)] == [["a"], ["b"], ["c"]]
    assert other.manifest(D1) == one.manifest(D1)
    assert other.partitions("policy", "policies", "drift") == ["2026-03-20", "2026-03-21"]
    assert other.addresses("drift") == [D1, D2]
    assert other.addresses("fields") == [FIELDS]
    assert other.verify(D1, thorough=True).rows == 1
    assert held(other, LINKAGE) is None
    assert other.manifest(LINKAGE) is None


def test_a_table_written_again_is_fetched_again(machine):
    one, other = machine("one"), machine("other")
    write(one, D1="old")
    assert held(other, D1) == ["old"]

    write(one, D1="new")

    assert held(other, D1) == held(one, D1) == ["new"]


def test_a_table_is_fetched_once(machine, monkeypatch):
    write(machine("one"), D1="a")
    other, fetched = machine("other"), []
    fetch = Bucket.fetch
    monkeypatch.setattr(Bucket, "fetch", lambda *asked: fetched.append(asked) or fetch(*asked))

    assert [held(other, D1) for _ in range(3)] == [["a"]] * 3
    assert len(fetched) == 1


def test_only_the_table_and_the_one_before_it_are_kept(machine, url, storage):
    lake = machine("one")
    for value in "abcd":
        write(lake, D1=value, D2=value)

    prefix = url.removeprefix(f"s3://{BUCKET}/") + f"/{D1.folder.as_posix()}/"
    kept = [entry["Key"] for entry in storage.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]]
    assert len([key for key in kept if key.endswith(".parquet")]) == 2
    assert held(machine("other"), D1) == ["d"]


class DiedError(IntegrityError):
    """The storage, or who wrote to it, at one of its changes."""


CHANGES = ("put", "send", "delete")


@pytest.mark.parametrize("first", [False, True])
def test_a_transaction_that_fails_anywhere_is_visible_as_a_whole_or_not_at_all(machine, monkeypatch, first):
    seen = set()
    for allowed in range(20):
        lake = RemoteLake(f"{machine('any').url}-{allowed}")
        lake.root = lake.root.with_name(f"one-{allowed}")
        if not first:
            write(lake, D1="older", LINKAGE="older")
            write(lake, D1="old", LINKAGE="old")
        done = failing_after(allowed, monkeypatch)
        with contextlib.suppress(DiedError):
            write(lake, D1="new", LINKAGE="new")
        monkeypatch.undo()
        other = RemoteLake(lake.url)
        other.root = lake.root.with_name(f"other-{allowed}")
        found = (held(other, D1), held(other, LINKAGE))
        assert found in ((["new"], ["new"]), (None, None) if first else (["old"], ["old"]))
        assert held(lake, D1) == found[0]
        assert other.addresses("drift") == ([D1] if found[0] else [])
        seen.add(found[0][0] if found[0] else None)
        if len(done) < allowed:
            break
    assert seen == {"new", None if first else "old"}


def failing_after(allowed, monkeypatch):
    done = []
    for name in CHANGES:
        change = getattr(Bucket, name)

        def counted(self, *about, change=change):
            if len(done) == allowed:
                raise DiedError("here")
            done.append(about)
            return change(self, *about)

        monkeypatch.setattr(Bucket, name, counted)
    return done


KILLED = """
import os, signal, sys
import pyarrow as pa
from pipelines.lake import Address, lake_in
from pipelines.lake.bucket import Bucket
put, done = Bucket.put, []
def dying(self, name, content):
    if len(done) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(name)
    put(self, name, content)
Bucket.put = dying
with lake_in(sys.argv[1]).transaction("run") as transaction:
    for stage in ("drift", "linkage"):
        transaction.write(Address("policy", "policies", stage, "2026-03-20"), pa.table({"value": ["new"]}))
"""


def test_a_writer_that_is_killed_leaves_what_was_there_and_the_next_one_succeeds(machine, url):
    lake = machine("one")
    write(lake, D1="old", LINKAGE="old")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, url], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    assert killed.returncode == -signal.SIGKILL

    other = machine("other")
    assert (held(other, D1), held(other, LINKAGE)) == (["old"], ["old"])

    write(lake, D1="new", LINKAGE="new")
    assert (held(other, D1), held(other, LINKAGE)) == (["new"], ["new"])


def test_what_others_put_beside_the_lake_is_no_table(machine, url, storage):
    lake = machine("one")
    write(lake, D1="a")
    for place in ("", "notes/", "a/b/c/d/e/"):
        key = f"{url.removeprefix(f's3://{BUCKET}/')}/{place}_manifest.json"
        storage.put_object(Bucket=BUCKET, Key=key, Body=b"{}")

    assert lake.addresses("drift") == [D1]
    assert lake.partitions("policy", "policies", "drift") == ["2026-03-20"]


def test_of_two_writers_at_a_time_one_counts_and_its_table_is_whole(machine, monkeypatch):
    one, other, third = machine("one"), machine("other"), machine("third")
    write(one, D1=0)
    send = Bucket.send

    def overtaken(self, file, name):
        send(self, file, name)
        monkeypatch.setattr(Bucket, "send", send)
        write(other, D1=1)

    monkeypatch.setattr(Bucket, "send", overtaken)
    write(one, D1=2)

    assert held(third, D1) == [2]


def test_a_manifest_that_is_none(machine, url, storage):
    lake = machine("one")
    write(lake, D1="a")
    key = url.removeprefix(f"s3://{BUCKET}/") + f"/{D1.folder.as_posix()}/_manifest.json"
    storage.put_object(Bucket=BUCKET, Key=key, Body=b"{}")

    with pytest.raises(IntegrityError, match=r"its manifest in the lake .* cannot be read"):
        lake.manifest(D1)


@pytest.fixture
def silence(monkeypatch):
    """An address at which nobody listens, and nobody else can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{held.getsockname()[1]}")
        monkeypatch.setattr(filesystems, "_TRIES", 1)
        filesystems.file_system.cache_clear()
        yield
    filesystems.file_system.cache_clear()


@pytest.mark.usefixtures("silence")
def test_a_storage_that_does_not_answer(machine):
    lake = machine("one")

    with pytest.raises(IntegrityError, match=f"the lake {lake.url} cannot be used: the storage does not answer"):
        write(lake, D1="a")


def test_publishing_a_lake_in_which_nothing_is(machine, url):
    machine("one")

    told = CliRunner().invoke(app, ["publish", "--lake", url, "--json"])

    assert told.exit_code == 3
    assert "run coexist reconcile first" in json.loads(told.stdout)["error"]["message"]


def test_banks_reconciled_in_object_storage_have_the_drift_they_have_on_disk(machine, url, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)

    def drift(place, mirror):
        machine(mirror)
        asked = ["drift", "--context", "banks", "--json", "--from", "2026-03-09", "--lake", place]
        return without_runs(json.loads(CliRunner().invoke(app, asked).stdout))

    for place in (url, str(tmp_path / "lake")):
        machine("one")
        told = CliRunner().invoke(app, ["reconcile", "--context", "banks", "--workers", "1", "--lake", place, "--json"])
        assert told.exit_code in (0, 1), told.output

    here = drift(str(tmp_path / "lake"), "one")
    assert drift(url, "another") == here
    assert here
    assert not list(ROOT.glob("s3*"))
    assert rows_for_bi(url, machine, tmp_path) == rows_for_bi(str(tmp_path / "lake"), machine, tmp_path) > 0
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.suffix in (".json", ".parquet"))
    assert SECRET.encode() not in written


def rows_for_bi(place, machine, tmp_path):
    """The rows of drift in the catalogue, as a machine sees them that has read nothing before and declares nothing."""
    machine(f"of BI {next(names)}")
    told = CliRunner().invoke(app, ["publish", "--lake", place, "--json"])
    assert told.exit_code == 0, told.output
    path = json.loads(told.stdout)["catalog"]
    assert path.startswith(str(tmp_path))
    with duckdb.connect(path, read_only=True) as catalog:
        (rows,) = catalog.execute("SELECT COUNT(*) FROM drift").fetchone()
        return rows


def without_runs(told):
    """The same without what is of every run its own."""
    if isinstance(told, dict):
        return {key: without_runs(value) for key, value in told.items() if key not in ("run_id", "lake", "catalog")}
    return [without_runs(part) for part in told] if isinstance(told, list) else told
