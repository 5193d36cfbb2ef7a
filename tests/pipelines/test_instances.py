"""What served one engine serves the next, and nothing of the one is seen by the other."""

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from textwrap import indent

import pytest

from pipelines import engine, instances, workers
from pipelines.resources import Resources

SMALL = Resources(memory=2 * 10**9, threads=1)
SETTINGS = ("memory_limit", "threads", "temp_directory", "TimeZone", "disabled_optimizers")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where spill folders are made."""
    instances.end_those_at_rest()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    instances.end_those_at_rest()


def settings():
    said = ", ".join(f"'{name}'" for name in SETTINGS)
    with instances.lent(SMALL, threads=1) as connection:
        return connection.execute(f"SELECT name, value FROM duckdb_settings() WHERE name IN ({said})").fetchall()


def test_the_next_engine_finds_the_settings_and_nothing_else_of_the_one_before(folder):
    before, served = settings(), set(folder.iterdir())
    with engine.opened(SMALL) as session:
        session.materialise("things", "SELECT 1 AS a")
        session.view("seen", "SELECT a FROM things")
        with session.lending(0.5):
            pass

    assert settings() == before
    assert set(folder.iterdir()) == served
    with engine.opened(SMALL) as session:
        assert session.rows("SELECT count(*) AS n FROM information_schema.tables") == [{"n": 0}]
        session.materialise("things", "SELECT 2 AS a")
        assert session.rows("SELECT a FROM things") == [{"a": 2}]


def test_few_rows_keep_one_thread_busy_and_the_next_engine_has_them_all(monkeypatch):
    several, lent, working = Resources(memory=2 * 10**9, threads=3), instances.lent, []

    @contextmanager
    def watched(resources, **kept):
        with lent(resources, **kept) as connection:
            working.append(connection.execute("SELECT current_setting('threads')").fetchone())
            yield connection

    monkeypatch.setattr(instances, "lent", watched)
    for rows in (10, None, 10, 10**6):
        with engine.opened(several, rows=rows):
            pass

    assert working == [(1,), (3,), (1,), (3,)]


def test_every_engine_speaks_of_times_in_utc(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Paris")

    for _ in range(2):
        with engine.opened(SMALL) as session:
            said = session.rows("SELECT CAST(CAST('1970-01-01 00:00:00+00' AS TIMESTAMPTZ) AS VARCHAR) AS said")
            assert said == [{"said": "1970-01-01 00:00:00+00"}]


def test_engines_that_are_open_at_once_have_an_instance_each(folder):
    with engine.opened(SMALL) as one, engine.opened(SMALL) as other:
        assert len(set(folder.iterdir())) == 2
        one.materialise("things", "SELECT 1 AS a")
        other.materialise("things", "SELECT 2 AS a")
        assert one.rows("SELECT a FROM things") == [{"a": 1}]

    assert len(set(folder.iterdir())) == 1


def test_other_resources_have_another_instance(folder):
    with engine.opened(SMALL):
        first = set(folder.iterdir())
    with engine.opened(SMALL.part(0.5)):
        pass

    left = set(folder.iterdir())
    assert len(left) == 1
    assert left != first


def test_one_that_failed_serves_nobody_any_more(folder):
    with pytest.raises(ZeroDivisionError), engine.opened(SMALL):
        raise ZeroDivisionError

    assert set(folder.iterdir()) == set()


OPENING = """
from pipelines import engine
with engine.opened() as session:
    session.materialise("things", "SELECT 1 AS a")
"""


def test_a_process_that_ends_leaves_no_folder(folder):
    subprocess.run([sys.executable, "-W", "error", "-c", OPENING], check=True, env={"TMPDIR": str(folder)})

    assert not list(folder.glob("coexist-spill-*"))


def test_one_of_a_pool_leaves_no_folder(folder, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(folder))

    with workers.opened(2) as pool:
        pool.submit(exec, OPENING, {}).result()

    assert not list(folder.glob("coexist-spill-*"))


KILLED = f"""
import os, signal
{OPENING.replace("session.materialise", "os.kill(os.getpid(), signal.SIGKILL); session.materialise")}
"""


def test_what_a_killed_process_spilled_goes_with_the_next_one_and_what_a_living_one_did_stays(folder):
    """It may be as large as the disk, and holds the rows that were compared."""
    with engine.opened(SMALL):
        living = set(folder.iterdir())
        subprocess.run([sys.executable, "-c", KILLED], check=False, env={"TMPDIR": str(folder)})
        (left,) = (path for path in folder.iterdir() if path not in living)
        (left / "files" / "spilled").write_bytes(b"rows")

        subprocess.run([sys.executable, "-c", OPENING], check=True, env={"TMPDIR": str(folder)})
        assert set(folder.iterdir()) == living


FORKED = f"""
import os
{OPENING}
if not (child := os.fork()):
{indent(OPENING + OPENING, "    ")}
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
{OPENING}
"""


def test_a_process_that_is_forked_off_has_instances_of_its_own(folder):
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=60, env={"TMPDIR": str(folder)})
