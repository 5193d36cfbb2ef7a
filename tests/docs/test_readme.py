"""README.md: the excerpt of `make demo` is what the demo prints, and the exit codes are those of the command line."""

import duckdb
import pytest

from pipelines.cli.exits import ExitCode

PAGE = "README.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def demo(page, root, folder, session):
    """The demo, run once for all that it must be, as the page says."""
    excerpt = next(part for part in page(PAGE) if part.kind == "console")
    environment = {
        "COEXIST_LAKE": str(folder / "lake"),
        "COEXIST_INSURER_WORLD": str(folder / "world"),
        "PYTHONPATH": str(root),
        "COLUMNS": "100",
    }
    (folder / "data").symlink_to(root / "data")
    (folder / "Makefile").write_text("demo:\n\t@coexist demo\n", encoding="utf-8")
    (demo,) = session(folder, **environment).follow(excerpt)
    return demo


@pytest.mark.slow
def test_the_demo_prints_the_excerpt(demo):
    assert demo.text == "make demo"
    assert demo.ended_as_said, demo.printed
    assert demo.printed_what_is_shown, demo.printed


@pytest.mark.slow
@pytest.mark.parametrize(
    "entity",
    ["banks.banks", "party.parties", "broker.brokers", "policy.policies", "billing.invoices", "claims.claims"],
)
def test_the_demo_tells_of_every_entity(demo, entity):
    assert f"{entity}  2026-" in demo.printed


@pytest.mark.slow
def test_the_demo_says_what_to_try_next_and_leaves_the_catalogue_of_all_partitions(demo, folder):
    assert "over all 87 partitions: by design" in demo.printed
    assert "coexist explain" in demo.printed
    with duckdb.connect(folder / "lake" / "catalog.duckdb", read_only=True) as catalog:
        assert catalog.execute("SELECT COUNT(*) FROM linkage").fetchall() == [(87,)]


def test_exit_codes_are_those_of_the_command_line(page):
    listed = [int(row["code"]) for part in page(PAGE) if part.section == "Exit codes" for row in part.rows]

    assert listed == [code for code in ExitCode if code is not ExitCode.BROKEN_PIPE]
