"""The insurer on live servers is the insurer in files: the same drift, row by row."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest

from data.insurer.generate import generate
from data.live import declaring
from pipelines import campaign, loading
from pipelines.cli.live import live_servers
from pipelines.cli.screen import Screen
from pipelines.job import Job
from pipelines.lake import Lake
from tests.contexts.world import CONTEXTS, SMALL

DAYS = ("2026-03-20", "2026-03-21")
TABLES = ("drift", "linkage", "lag", "discrepancies", "untranslatable", "violations", "event_findings")
NO_MARIADB = "/no/such/folder"
SOON = 90  # seconds, on a machine that is busy with other tests


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    target = tmp_path_factory.mktemp("insurer") / "world"
    generate(target, seed=7, size=SMALL)
    return target


@pytest.fixture(scope="module")
def in_files(world, tmp_path_factory):
    return reconciled("assets.contexts", world, Lake(tmp_path_factory.mktemp("files")))


@pytest.fixture(scope="module", params=["MariaDB", "files of the host"])
def servers(request, world):
    """The servers, loaded, as `coexist demo --live` starts them; what leads to them is in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(declaring.WORLD, str(world))
        if request.param != "MariaDB":
            patch.setenv("MARIADB_BIN", NO_MARIADB)
        elif not shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin"):
            assert "CI_INSTALLS" not in os.environ
            pytest.skip("no MariaDB on this machine")
        with live_servers(Screen.opened(as_json=True)) as servers:
            yield servers
        for name in (declaring.POSTGRES, declaring.MARIADB, declaring.KAFKA, declaring.HOST_FILES):
            os.environ.pop(name, None)


def reconciled(package, world, lake, before=lambda _: None):
    """The rows of all tables of the first days, by entity, day and table, without the run they are from."""
    portfolio, found = loading.load(package), {}
    for day in DAYS:
        before(day)
        jobs = [
            Job(replace(context, root=world), entity, day, lake)
            for context, entity in portfolio.select(contexts=CONTEXTS)
        ]
        for job, attempt in campaign.run(campaign.plan(jobs, portfolio)):
            assert attempt.failure is None, (job.entity.name, job.partition, attempt.failure)
            found |= {(job.entity.name, day, table): rows_of(lake, job, table) for table in TABLES}
    return found


def rows_of(lake, job, table):
    if lake.manifest(job.address(table)) is None:
        return None
    rows = pq.read_table(lake.file(job.address(table))).to_pylist()
    return [{name: without_padding(value) for name, value in row.items() if name != "run_id"} for row in rows]


def without_padding(value):
    """A text without the blanks at its end, which fields of a fixed length do not tell; nor in JSON."""
    return re.sub(r' +("|$)', r"\1", value) if isinstance(value, str) else value


@pytest.fixture
def fresh():
    """Contexts as they are declared in the environment of now."""

    def forget():
        for name in [name for name in sys.modules if name.startswith("data.live.contexts")]:
            del sys.modules[name]

    forget()
    yield
    forget()


@pytest.mark.slow
@pytest.mark.live
@pytest.mark.usefixtures("fresh")
def test_servers_and_files_give_the_same_drift(world, in_files, servers, tmp_path):
    lake = Lake(tmp_path / "lake")
    published = []

    live = reconciled("data.live.contexts", world, lake, lambda day: published.append(servers.publish(day)))

    assert sum(map(len, filter(None, in_files.values()))) > 200
    for place, rows in in_files.items():
        assert live[place] == rows, place
    portfolio = loading.load("data.live.contexts")
    legacy = {entity.legacy.source.describe().split()[0] for _, entity in portfolio.select(contexts=CONTEXTS)}
    assert legacy == ({"table"} if declaring.MARIADB in os.environ else {"mainframe", "fixed-width"})
    offsets = [offsets_of(portfolio, lake, day) for day in DAYS]
    for name, first in offsets[0].items():
        begins = {partition: low for partition, (low, _) in offsets[1][name].items()}
        assert begins == {partition: high for partition, (_, high) in first.items()}
    assert [sum(high - low for part in of.values() for low, high in part.values()) for of in offsets] == published
    assert all(published)


def offsets_of(portfolio, lake, day):
    """From where to where each partition of each topic was read for a day."""
    addresses = {
        entity.name: Job(context, entity, day, lake).address("events")
        for context, entity in portfolio.select(contexts=CONTEXTS)
    }
    return {name: lake.manifest(address).notes["source"]["offsets"] for name, address in addresses.items()}


@pytest.mark.slow
@pytest.mark.live
def test_servers_listen_on_loopback_only(servers):
    assert servers.process.poll() is None
    told = [os.environ.get(name) for name in (declaring.POSTGRES, declaring.MARIADB)]
    places = [urlsplit(url) for url in told if url] + [urlsplit(f"kafka://{os.environ[declaring.KAFKA]}")]

    assert {place.hostname for place in places} == {"127.0.0.1"}
    for place in places:
        socket.create_connection(("127.0.0.1", place.port), timeout=5).close()
        with pytest.raises(ConnectionRefusedError):  # a server that listens on every address answers here, too
            socket.create_connection(("127.0.0.2", place.port), timeout=5)


@pytest.fixture
def folder():
    """A folder for temporary files, where any user may look."""
    made = Path(tempfile.mkdtemp(prefix="coexist-stopping-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def processes_of(folder):
    """Whatever runs with this folder on its command line."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = line.read_bytes()
        except OSError:
            continue
        found += [said.decode(errors="replace")] if str(folder).encode() + b"/coexist-live" in said else []
    return found


def waited(condition):
    until = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.live
@pytest.mark.parametrize(
    ("when", "told"),
    [("loading", signal.SIGINT), ("reconciling", signal.SIGINT), ("reconciling", signal.SIGKILL)],
    ids=str,
)
def test_nothing_runs_on_when_the_demo_is_stopped(folder, when, told):
    environment = os.environ | {"TMPDIR": str(folder), "MARIADB_BIN": NO_MARIADB, "COEXIST_INSURER_WORLD": ""}
    command = [Path(sys.executable).with_name("coexist"), "demo", "--live", "--size", "600"]
    command += ["--world", str(folder / "world"), "--lake", str(folder / "lake")]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        waited(lambda: processes_of(folder) if when == "loading" else (folder / "lake" / "party").exists())
        assert processes_of(folder)
        process.send_signal(told)
        process.communicate(timeout=SOON)

    assert process.returncode != 0
    waited(lambda: not processes_of(folder))
    waited(lambda: not list(folder.glob("coexist-live*")))


@pytest.mark.slow
@pytest.mark.live
def test_nothing_runs_on_after_a_failure(folder, world, monkeypatch):
    for name, value in {"TMPDIR": str(folder), "MARIADB_BIN": NO_MARIADB, declaring.WORLD: str(world)}.items():
        monkeypatch.setenv(name, value)

    def failing():
        with live_servers(Screen.opened(as_json=True)):
            assert processes_of(folder)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()

    assert processes_of(folder) == []
    assert list(folder.glob("coexist-live*")) == []
