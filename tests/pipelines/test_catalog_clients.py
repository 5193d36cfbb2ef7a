"""The catalogue opens in the clients BI tools still ship: DuckDB 1.x, in an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from assets.contexts.banks import context
from pipelines import catalog
from pipelines.errors import IntegrityError
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.reconciliation import reconcile

OLD_CLIENT = "1.1.3"
QUESTIONS = """
import duckdb, json, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
found = connection.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal AND schema_name = 'main'")
views = [row[0] for row in found.fetchall()]
counts = {view: connection.sql(f"SELECT count(*) FROM {view}").fetchone()[0] for view in views}
print(json.dumps({"version": duckdb.__version__, "counts": counts}))
"""


@pytest.mark.slow
def test_an_old_duckdb_client_reads_every_view(tmp_path: Path) -> None:
    uv = os.environ.get("UV") or shutil.which("uv")  # `uv run` says where it is
    if uv is None:
        pytest.skip("needs uv to make an environment with an old DuckDB")
    lake = Lake(tmp_path / "lake")
    reconcile(Job(context, context.entities[0], "2026-06-08", lake))
    file = catalog.publish(lake, [(context, context.entities[0])])

    command = [
        uv,
        "run",
        "--no-project",
        "--isolated",
        "--with",
        f"duckdb=={OLD_CLIENT}",
        "python",
        "-c",
        QUESTIONS,
        str(file),
    ]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path).stdout)

    assert answer["version"] == OLD_CLIENT
    assert answer["counts"] == {
        "drift": 2,
        "linkage": 1,
        "discrepancies": 27,
        "lag": 1,
        "runs": 0,
        "fields": 7,
        "lineage": 2,
        "semantic_rules": 0,
        "discrepancy_history": 27,
        "concentrations": 0,
        "event_offsets": 1,
        "event_findings": 0,
        "fold_findings": 0,
        "audits": 0,
        "readiness": 0,
    }


def test_a_lake_that_cannot_be_written_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that is read-only, what was to be deleted afterwards cannot be deleted either."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        patch.setattr(Path, "replace", refused)
        with pytest.raises(IntegrityError, match="Read-only file system"):
            catalog.build(Lake(tmp_path))
