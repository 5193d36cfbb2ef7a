"""README.md: the excerpt of `make demo` is what the demo prints, and the exit codes are those of the command line."""

import pytest

from pipelines.cli.exits import ExitCode

PAGE = "README.md"


@pytest.mark.slow
def test_the_demo_prints_the_excerpt(page, root, tmp_path, session):
    excerpt = next(part for part in page(PAGE) if part.kind == "console")
    environment = {
        "COEXIST_LAKE": str(tmp_path / "lake"),
        "COEXIST_INSURER_WORLD": str(tmp_path / "world"),
        "PYTHONPATH": str(root),
        "COLUMNS": "100",
    }
    (tmp_path / "data").symlink_to(root / "data")
    (tmp_path / "Makefile").write_text("demo:\n\t@coexist demo\n", encoding="utf-8")

    (demo,) = session(tmp_path, **environment).follow(excerpt)

    assert demo.text == "make demo"
    assert demo.ended_as_said, demo.printed
    assert demo.printed_what_is_shown, demo.printed


def test_exit_codes_are_those_of_the_command_line(page):
    listed = [int(row["code"]) for part in page(PAGE) if part.section == "Exit codes" for row in part.rows]

    assert listed == [code for code in ExitCode if code is not ExitCode.BROKEN_PIPE]
