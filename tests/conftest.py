"""What holds for all tests."""

from __future__ import annotations

import os

import pytest

from pipelines import sieve


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: one that is begun last would leave all workers but its own without work."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _equal_buckets_are_leapt_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few rows they have: in tests they never have as many as are worth it."""
    monkeypatch.setattr(sieve, "WORTH_LEAPING", 1)


@pytest.fixture(autouse=True)
def _nothing_need_outlast_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """To wait for the disk is an eighth of the time of a small reconciliation."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)
