"""What holds for all tests."""

from __future__ import annotations

import pytest

from pipelines import sieve


@pytest.fixture(autouse=True)
def _equal_buckets_are_leapt_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few rows they have: in tests they never have as many as are worth it."""
    monkeypatch.setattr(sieve, "WORTH_LEAPING", 1)
