"""The banks, reconciled once for every test that only reads, and the command line as a function."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app

ROOT = Path(__file__).parents[3]
DATES = ("2026-03-09", "2026-06-08", "2026-09-07")


@dataclass(frozen=True)
class Said:
    """What a command said, where, and its exit code."""

    out: str
    err: str
    code: int

    @property
    def document(self):
        """Standard output as the one JSON document it must be."""
        return json.loads(self.out)


def run(*arguments):
    """Run a command in this process; defects of ours come out as they are."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    return Said(result.stdout, result.stderr, result.exit_code)


@pytest.fixture
def coexist(monkeypatch):
    """The command line, on a screen of a known width, away from the developer's own lake."""
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.delenv("COEXIST_LAKE", raising=False)
    monkeypatch.delenv("COEXIST_CONTEXTS", raising=False)
    return run


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake with all dates of the banks. Read only."""
    folder = tmp_path_factory.mktemp("lake")
    said = run("reconcile", "--context", "banks", "--lake", folder)
    assert said.code == 1, said.err
    return folder


@pytest.fixture
def own_banks(tmp_path, monkeypatch):
    """A working directory with sources of the banks that a test may spoil; the folder of the sources."""
    target = tmp_path / "data" / "banks"
    shutil.copytree(ROOT / "data" / "banks", target)
    monkeypatch.chdir(tmp_path)
    return target
