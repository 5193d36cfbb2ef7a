"""docs/tables.md: its examples run on a lake of the bank example, and say what they give."""

import contextlib
import io
import itertools
import subprocess
import sys
from datetime import date

import duckdb
import pytest

from pipelines import catalog, loading, reconciliation
from pipelines.job import Job
from pipelines.lake import Lake

PAGE = "docs/tables.md"


@pytest.fixture(scope="module")
def lake(root, tmp_path_factory):
    """A folder in which data/lake is the reconciled bank example."""
    folder, made = tmp_path_factory.mktemp("banks"), []
    store = Lake(folder / "data" / "lake")
    with contextlib.chdir(root):
        for context, entity in loading.load("assets.contexts").select(["banks"]):
            made.append((context, entity))
            for partition in context.partitioning.keys(date(2026, 12, 31)):
                reconciliation.reconcile(Job(context, entity, partition, store))
    catalog.publish(store, made)
    return folder


def text_of(value):
    return "NULL" if value is None else str(value)


def test_generated_parts_are_current(root):
    checked = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=root, capture_output=True, text=True, check=False
    )

    assert checked.stderr == ""
    assert checked.returncode == 0


def test_every_table_is_listed(page):
    listed = [row["table"].split("`")[1] for part in page(PAGE) for row in part.rows if "one row per" in row]

    assert listed == [*catalog.DATED, *catalog.UNDATED]


def test_python_examples_run_and_print_what_is_shown(page, lake, subtests):
    parts = page(PAGE)
    for example, after in itertools.pairwise(parts):
        if example.kind != "python":
            continue
        with subtests.test(example.section, line=example.line):
            printed = io.StringIO()
            with contextlib.chdir(lake), contextlib.redirect_stdout(printed):
                exec(example.text, {"date": date})  # noqa: S102 (our own pages)

            shown = after.text if after.kind == "text" else ""
            assert [line.rstrip() for line in printed.getvalue().strip().splitlines()] == shown.splitlines()


def test_queries_give_what_is_shown(page, lake, subtests):
    parts = page(PAGE)
    for example, after in itertools.pairwise(parts):
        if example.kind != "sql":
            continue
        with subtests.test(example.text, line=example.line):
            with duckdb.connect(str(lake / "data/lake/catalog.duckdb"), read_only=True) as connection:
                table = connection.sql(example.text).to_arrow_table()

            assert table.num_rows > 0
            if after.kind == "table":
                assert [
                    {name: text_of(value) for name, value in row.items()} for row in table.to_pylist()
                ] == after.rows
