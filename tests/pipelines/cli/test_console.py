"""The console script as a process: help, streams, signals."""

import json
import signal
import subprocess
import sys
import time

import pytest

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
    assert "reconcile" in said.err


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
