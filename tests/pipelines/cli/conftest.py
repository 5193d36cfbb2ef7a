"""The banks, reconciled once for all tests, and the command line as a function."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from tests.shared import made_once

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


def reconcile_banks(folder):
    """Fill a folder: `lake` has all dates of the banks, `said` is what the command said on a wide screen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "140")
        said = run("reconcile", "--context", "banks", "--lake", folder / "lake")
    assert said.code == 1, said.err
    (folder / "said").write_text(said.out, encoding="utf-8")


@pytest.fixture(scope="session")
def reconciled_banks(tmp_path_factory):
    return made_once(tmp_path_factory, "reconciled-banks", reconcile_banks)


@pytest.fixture(scope="session")
def lake(reconciled_banks):
    """A lake with all dates of the banks. Read only."""
    return reconciled_banks / "lake"


@pytest.fixture
def own_lake(lake, tmp_path):
    """The same for a test that writes into it."""
    return Path(shutil.copytree(lake, tmp_path / "lake"))


@pytest.fixture
def own_banks(tmp_path, monkeypatch):
    """A working directory with sources of the banks that a test may spoil; the folder of the sources."""
    target = tmp_path / "data" / "banks"
    shutil.copytree(ROOT / "data" / "banks", target)
    monkeypatch.chdir(tmp_path)
    return target
