"""The console script as a process: help, streams, signals."""

import json
import signal
import subprocess
import sys
import time

import pytest
from rich.table import Table

from pipelines.cli.screen import Screen

COEXIST = [sys.executable, "-c", "from pipelines.cli import main; main()"]
COMMANDS = ("demo", "check", "reconcile", "backfill", "drift", "explain", "audit", "recount", "publish")


def start(*arguments, **streams):
    return subprocess.Popen([*COEXIST, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **streams)


def test_help_lists_all_commands(coexist):
    said = coexist("--help")

    assert said.code == 0
    assert all(f" {command} " in said.out for command in COMMANDS)
    assert "Exit codes: 0 all levels met, 1 breach" in said.out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(coexist, command):
    said = coexist(command, "--help")

    assert said.code == 0
    assert "--json" in said.out


def test_version(coexist):
    assert coexist("--version").out.startswith("coexist 0.")


def test_an_unknown_command(coexist):
    said = coexist("reconsile")

    assert said.code == 2
    assert said.err.count("Did you mean") == 1
    assert "'reconcile'" in said.err


def test_stdout_holds_one_document_and_nothing_else(own_lake):
    process = start("reconcile", "-c", "banks", "--date", "2026-09-07", "--lake", own_lake, "--json")
    out, err = process.communicate()

    assert process.returncode == 0
    assert json.loads(out)["exit_code"] == 0
    assert err == b""


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_reader_that_goes_away(lake, form):
    with start("drift", "--lake", lake, *form) as process:
        process.stdout.close()
        err = process.stderr.read()

    assert process.returncode == 141
    assert err == b""


FAILING = """
import sys
from pipelines.cli import main

class Failing:
    def load(self):
        raise RuntimeError(message)

message = sys.argv.pop()
sys.modules["pipelines.cli.check"].loading = Failing()
main()
"""


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("a defect of ours", 3),  # not 1: that is a breach
        ("Query interrupted", 130),  # so DuckDB tells that Ctrl-C ended a query
    ],
)
def test_an_error_that_nobody_raised_on_purpose_is_no_breach(message, code):
    process = subprocess.run(
        [sys.executable, "-c", FAILING, "check", message], capture_output=True, text=True, check=False
    )

    assert process.returncode == code
    assert (f"RuntimeError: {message}" in process.stderr) == (code == 3)


def test_what_stands_in_brackets_or_between_colons_is_data(capsys):
    screen = Screen.opened(as_json=False)
    table = Table("key")
    table.add_row("[red]1[/nothing] :cat:")
    screen.show("[bold]2", table)

    out = capsys.readouterr().out
    assert "[red]1[/nothing] :cat:" in out
    assert "[bold]2" in out


def test_numbers_that_json_has_not_are_told_by_their_names(capsys):
    Screen.opened(as_json=True).emit({"rates": [float("nan"), (float("inf"), 1.5)]})

    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {"rates": ["nan", ["inf", 1.5]]}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_leaves_nothing_half_written(tmp_path, workers):
    lake = tmp_path / "lake"
    process = start("reconcile", "-c", "banks", "--workers", workers, "--lake", lake)
    while process.poll() is None and not list(lake.glob("banks/banks/legacy/*/*.parquet")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()

    assert process.returncode == 130, (out, err)
    assert b"Traceback" not in err
    assert [*(lake / ".aside").iterdir()] == []
    manifests = {path.parent for path in lake.rglob("_manifest.json")}
    assert {path.parent for path in lake.rglob("*.parquet")} == manifests
