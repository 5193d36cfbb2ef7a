"""The declared memory holds where every row differs: whatever grows with what is found spills, or streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from benchmarks import contestants
from benchmarks.contestants import Bench
from benchmarks.worlds import World
from pipelines import engine
from pipelines.engine import Engine
from pipelines.sifting import Way, remaining

ROOT = Path(__file__).parents[2]
LIMIT = 1_200_000_000  # bytes; a million findings, and the rows they are about, take twice as much
EVERY_ROW_DIFFERS = World(rows=1_000_000, fields=16, drift=1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A world and its snapshots, with digests."""
    prepared = Bench(tmp_path_factory.mktemp("world"), EVERY_ROW_DIFFERS)
    contestants.prepare(prepared)
    return prepared


def test_nothing_that_grows_with_findings_is_taken_out_of_the_engine_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "1")
    monkeypatch.setattr(remaining, "_ON_HEAP", 100)
    monkeypatch.setattr(remaining, "_AT_ONCE", 100)
    world = World(rows=2_000, fields=3, drift=1)
    contestants.prepare(Bench(tmp_path, world))
    taken, table = [], Engine.table

    def counted(session: Engine, sql: str) -> pa.Table:
        found = table(session, sql)
        taken.append(found.num_rows)
        return found

    monkeypatch.setattr(Engine, "table", counted)
    found = contestants.CONTESTANTS["coexist"](Bench(tmp_path, world))

    assert found == world.rows
    assert max(taken) <= world.rows // 10


def test_what_was_materialised_is_let_go_and_what_was_registered_stays() -> None:
    with engine.opened() as session:
        session.register("lent", pa.table({"n": [1]}))
        session.materialise("made", "SELECT n FROM lent")
        session.forget("lent", "made", "never there")

        assert session.rows("SELECT n FROM lent") == [{"n": 1}]
        with pytest.raises(duckdb.CatalogException, match="made"):
            session.rows("SELECT n FROM made")
        session.materialise("made", "SELECT n + 1 AS n FROM lent")
        assert session.rows("SELECT n FROM made") == [{"n": 2}]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is told by /proc")
@pytest.mark.parametrize("way", Way)
def test_a_million_findings_keep_within_the_memory(bench: Bench, way: Way) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.contestants", "coexist", str(bench.folder), json.dumps(asdict(bench.world))],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"COEXIST_MEMORY_LIMIT": f"{LIMIT}B", "COEXIST_SIEVE": way},
    )
    told = json.loads(done.stdout)
    assert told["found"] == EVERY_ROW_DIFFERS.rows
    assert told["peak"] <= LIMIT
