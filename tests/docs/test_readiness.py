"""docs/readiness.md: what it shows is what the banks come to; its declaration, query and list of gates are right."""

from datetime import timedelta

import duckdb
import pytest

from assets.contexts import banks
from pipelines import catalog, declarations, readiness
from pipelines.declarations import Capability
from pipelines.lake import Lake
from pipelines.portfolio import Portfolio
from pipelines.readiness import Assessment
from tests.docs.conftest import ROOT, Session, comparable, fits

PAGE = "docs/readiness.md"
LAST = "2026-09-07"


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A shell in a folder with the data of the banks, which are reconciled."""
    folder = tmp_path_factory.mktemp("readiness")
    (folder / "data").mkdir()
    (folder / "data" / "banks").symlink_to(ROOT / "data" / "banks")
    session = Session(folder, COLUMNS="140")
    session.run("coexist reconcile --context banks")
    return session


def blocks(page, kind):
    return [part.text for part in page(PAGE) if part.kind == kind]


def test_the_command_prints_what_is_shown(page, session):
    (shown,) = blocks(page, "console")
    command, *lines = shown.splitlines()

    printed = session.run(command.removeprefix("$ "))

    assert fits(comparable(lines), comparable(printed.splitlines()))


def test_the_query_runs(page, session):
    (query,) = blocks(page, "sql")
    with duckdb.connect(str(session.folder / "data" / "lake" / catalog.FILE), read_only=True) as connection:
        *_, last = connection.sql(query).fetchall()

    assert tuple(map(str, last)) == (LAST, "banks", "bank_directory", "False", "5", "9")


def test_the_declaration_is_one(page):
    (snippet,) = blocks(page, "python")

    made = eval(snippet, vars(declarations) | {"timedelta": timedelta})  # noqa: S307 (our own page)

    assert isinstance(made, Capability)


def test_all_gates_are_listed_in_their_order(page, session):
    (listed,) = [[row["gate"].strip("`") for row in part.rows] for part in page(PAGE) if "| gate |" in part.text]
    asked = Assessment(
        Portfolio((banks.context,), {"banks": ""}),
        banks.context,
        banks.context.capabilities[0],
        LAST,
        Lake(session.folder / "data" / "lake"),
    )

    assert listed == [row["gate"] for row in readiness.assessed(asked)]
