"""What holds for all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from pipelines.sifting import sieve
from tests import examples

examples.load_profile()
_PASSED = pytest.StashKey[bool]()  # whether the latest phase of a test has


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first: one that is begun last would leave all workers but its own without work."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, item.path.parent.name != "spec"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_PASSED] = report.passed
    return report


@pytest.fixture(autouse=True)
def _files_of_a_test_that_passed_are_removed(request: pytest.FixtureRequest) -> Iterator[None]:
    """At once: to remove 60,000 files of a run that is long over takes minutes. No other test is given the folder."""
    folder: Path | None = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder and request.node.stash.get(_PASSED, False):
        for child in folder.iterdir():
            shutil.rmtree(child, ignore_errors=True) if child.is_dir() else child.unlink()


@pytest.fixture(autouse=True)
def _equal_buckets_are_leapt_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few rows they have: in tests they never have as many as are worth it."""
    monkeypatch.setattr(sieve, "WORTH_LEAPING", 1)


@pytest.fixture(autouse=True)
def _nothing_need_outlast_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """To wait for the disk is an eighth of the time of a small reconciliation."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)


@pytest.fixture(autouse=True, scope="session")
def _workers_share_the_processors() -> Iterator[None]:
    """Each worker that runs tests has its part."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COEXIST_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
        yield


@pytest.fixture(autouse=True)
def _slow_tests_have_all_processors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have rows enough to be worked at side by side."""
    if request.node.get_closest_marker("slow"):
        monkeypatch.delenv("COEXIST_THREADS", raising=False)
